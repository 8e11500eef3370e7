// The cost of everyday commands in messages: checks the table of docs/semantics.md.
//
// Forgets are not counted: the kernel sends them at any time. After a change of a directory's
// entries, default_permissions makes the kernel request the directory's attributes once; in cases
// that are not about that, Rest() triggers it beforehand. The table applies to `-o noxattr`; the
// additional messages for extended attributes come last.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/fs/fuse/mounted_fixture.h"

namespace kvfs::fs {
namespace {

using Messages = std::map<std::string, uint64_t>;

class MessageCount : public MountedFixture {
 protected:
  MessageCount() { options_.extended_attributes = false; }

  void Rest() {
    struct stat ignored;
    stat(Path("").c_str(), &ignored);
    mounted().TakeMessages();
  }
  Messages Taken() { return mounted().TakeMessages(); }

  void Put(const std::string& name, int flags = O_CREAT | O_TRUNC) {
    const int file = open(Path(name).c_str(), O_WRONLY | flags, 0644);
    EXPECT_EQ(write(file, "bar\n", 4), 4);
    close(file);
  }
  // Like cat.
  void Get(const std::string& name) {
    const int file = open(Path(name).c_str(), O_RDONLY);
    struct stat ignored;
    fstat(file, &ignored);
    char buffer[100];
    while (read(file, buffer, sizeof buffer) > 0) continue;
    close(file);
  }
};

TEST_F(MessageCount, PutOfANewName) {
  Rest();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"lookup", 1}, {"create", 1}, {"write", 1}}));
}

TEST_F(MessageCount, PutOfANameKnownToBeAbsent) {
  EXPECT_NE(access(Path("foo").c_str(), F_OK), 0);
  Rest();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"create", 1}, {"write", 1}}));
}

TEST_F(MessageCount, PutOverAnExistingValue) {
  Put("foo");
  Rest();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"setattr", 1}, {"write", 1}}));
}

TEST_F(MessageCount, PutAfterAChangeOfTheDirectoryAsksForItOnce) {
  Put("foo");
  Taken();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"getattr", 1}, {"setattr", 1}, {"write", 1}}));
}

TEST_F(MessageCount, Append) {
  Put("foo");
  Rest();
  Put("foo", O_APPEND);
  EXPECT_EQ(Taken(), (Messages{{"write", 1}}));
}

// The basis of what docs/semantics.md says about atomic writes.
TEST_F(MessageCount, AWriteIsWholeUnlessItBeginsInAPageThatTheKernelHasNot) {
  constexpr int kPage = 4096;
  const auto write_at = [this](off_t offset, size_t bytes) {
    const int file = open(Path("foo").c_str(), O_WRONLY);
    const std::string data(bytes, 'x');
    EXPECT_EQ(pwrite(file, data.data(), bytes, offset), static_cast<ssize_t>(bytes));
    close(file);
    return Taken()["write"];
  };
  Put("foo");
  write_at(0, 300 * kPage);
  mounted().Remount();
  EXPECT_EQ(write_at(kPage - 10, 100), 2u);  // in a page that is not cached, and beyond it
  EXPECT_EQ(write_at(2 * kPage + 10, 100), 1u);
  EXPECT_EQ(write_at(4 * kPage, 256 * kPage), 1u);
  EXPECT_EQ(write_at(4 * kPage, 257 * kPage), 2u);
  EXPECT_EQ(write_at(5 * kPage - 10, 100), 1u);  // in a page that was written completely
  EXPECT_EQ(write_at(5 * kPage - 10, 256 * kPage), 2u);
}

TEST_F(MessageCount, GetAfterPutAndAgain) {
  Put("foo");
  Rest();
  Get("foo");
  EXPECT_EQ(Taken(), (Messages{{"getattr", 1}, {"read", 1}}));
  // The read invalidates the access time in the kernel, which requests it once.
  Get("foo");
  EXPECT_EQ(Taken(), (Messages{{"getattr", 1}}));
  Get("foo");
  EXPECT_EQ(Taken(), Messages{});
}

TEST_F(MessageCount, GetOfAValueThatTheKernelDoesNotKnow) {
  Put("foo");
  mounted().Remount();
  Rest();
  Get("foo");
  EXPECT_EQ(Taken(), (Messages{{"lookup", 1}, {"read", 1}}));
}

TEST_F(MessageCount, AShellAndCatCostNoMore) {
  Rest();
  Run("echo bar > $M/foo");
  EXPECT_EQ(Taken(), (Messages{{"lookup", 1}, {"create", 1}, {"write", 1}}));
  Rest();
  Run("echo baz > $M/foo");
  EXPECT_EQ(Taken(), (Messages{{"setattr", 1}, {"write", 1}}));
  Run("cat $M/foo");
  EXPECT_EQ(Taken(), (Messages{{"getattr", 1}, {"read", 1}}));
  Run("cat $M/foo");
  Taken();
  Run("cat $M/foo");
  EXPECT_EQ(Taken(), Messages{});
}

TEST_F(MessageCount, StatOfWhatWasAskedBeforePresentOrAbsent) {
  Put("foo");
  struct stat ignored;
  stat(Path("foo").c_str(), &ignored);
  EXPECT_NE(stat(Path("absent").c_str(), &ignored), 0);
  Rest();
  EXPECT_EQ(stat(Path("foo").c_str(), &ignored), 0);
  EXPECT_NE(stat(Path("absent").c_str(), &ignored), 0);
  EXPECT_EQ(Taken(), Messages{});
}

TEST_F(MessageCount, RenameOverAnExistingName) {
  Put("a");
  mounted().Remount();
  Put("b");
  Rest();
  EXPECT_EQ(rename(Path("b").c_str(), Path("a").c_str()), 0);
  EXPECT_EQ(Taken(), (Messages{{"lookup", 1}, {"rename", 1}}));
}

TEST_F(MessageCount, ListingWithAttributes) {
  for (int i = 0; i < 10; ++i) Put("n" + std::to_string(i));
  mounted().Remount();
  Rest();
  Run("ls -l $M");
  EXPECT_EQ(Taken(), (Messages{{"readdirplus", 2}}));
  Run("ls -l $M");
  const Messages again = Taken();
  EXPECT_TRUE(again == Messages{} || again == (Messages{{"getattr", 1}}));
}

class MessageCountWithXattrs : public MessageCount {
 protected:
  MessageCountWithXattrs() { options_.extended_attributes = true; }
};

TEST_F(MessageCountWithXattrs, APutAsksForCapabilitiesOnce) {
  Rest();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"lookup", 1}, {"create", 1}, {"getxattr", 1}, {"write", 1}}));
  Rest();
  Put("foo");
  EXPECT_EQ(Taken(), (Messages{{"setattr", 1}, {"getxattr", 1}, {"write", 1}}));
  Rest();
  Put("foo", O_APPEND);
  EXPECT_EQ(Taken(), (Messages{{"write", 1}}));
  Get("foo");
  EXPECT_EQ(Taken().count("getxattr"), 0u);
}

TEST_F(MessageCount, NothingIsOpenedReleasedOrFlushed) {
  Put("foo");
  Get("foo");
  Run("ls -l $M; cp $M/foo $M/bar; mv $M/bar $M/baz; rm $M/baz");
  const Messages taken = Taken();
  for (const char* kind : {"open", "release", "flush", "opendir", "releasedir", "getxattr",
                           "listxattr", "setxattr", "removexattr"}) {
    EXPECT_EQ(taken.count(kind), 0u) << kind;
  }
}

}  // namespace
}  // namespace kvfs::fs
