// The targets of a daemon's log. Runs outside Bazel's sandbox, so that files can belong to several
// users.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/daemon/log.h"
#include "tests/support/temporary_directory.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

constexpr uid_t kStranger = 1234;

class LogFile : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Why the file is refused.
  static std::string Refusal(const std::string& path) {
    const auto log = Log::ToFile(path);
    return log ? "it is not" : log.error().text;
  }
  static bool IsRefused(const std::string& path, const std::string& why) {
    return Refusal(path).find(why) != std::string::npos;
  }
  // False if the test cannot change a file's owner.
  bool GiveAway(const std::string& name) {
    return ::lchown(Path(name).c_str(), kStranger, kStranger) == 0;
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(LogFile, IsAppendedTo) {
  std::ofstream(Path("log")) << "before\n";
  Log::ToFile(Path("log"))->Line("one");
  Log::ToFile(Path("log"))->Line("two");
  const std::string text = Read(Path("log"));
  EXPECT_TRUE(text.starts_with("before\n"));
  EXPECT_NE(text.find("one\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("two\n"));
}

TEST_F(LogFile, OnesOwnLinkIsFollowed) {
  stdfs::create_symlink("new", Path("link"));
  Log::ToFile(Path("link"))->Line("one");
  EXPECT_NE(Read(Path("new")).find("one\n"), std::string::npos);
}

TEST_F(LogFile, AFifoThatNobodyReadsIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_TRUE(IsRefused(Path("fifo"), "it has no reader")) << Refusal(Path("fifo"));
}

TEST_F(LogFile, AFifoThatIsNotEmptiedKeepsNobodyWaiting) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  const int reader = ::open(Path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto log = Log::ToFile(Path("fifo"));
  ASSERT_TRUE(log);
  for (int i = 0; i < 10'000; ++i) log->Line("a line");
  char first[10];
  EXPECT_EQ(::read(reader, first, sizeof first), static_cast<ssize_t>(sizeof first));
  ::close(reader);
}

TEST_F(LogFile, NothingThatDoesWhatItIsToldIsWrittenTo) {
  const std::string why = "not a regular file, FIFO or terminal";
  EXPECT_TRUE(IsRefused(Path(""), "directory"));
  EXPECT_TRUE(IsRefused("/dev/zero", why)) << Refusal("/dev/zero");
  EXPECT_FALSE(IsRefused("/dev/null", why));
  ASSERT_EQ(::mknod(Path("socket").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_TRUE(IsRefused(Path("socket"), why)) << Refusal(Path("socket"));
  // There may be no such disk on this machine.
  if (::mknod(Path("disk").c_str(), S_IFBLK | 0600, ::makedev(7, 200)) != 0) return;
  EXPECT_TRUE(IsRefused(Path("disk"), why)) << Refusal(Path("disk"));
}

TEST_F(LogFile, SomebodyElsesInAPublicDirectoryIsNotWritten) {
  stdfs::create_directory(Path("public"));
  ASSERT_EQ(::chmod(Path("public").c_str(), 01777), 0);
  std::ofstream(Path("victim")) << "precious";
  std::ofstream(Path("public/file")) << "theirs";
  stdfs::create_symlink("../victim", Path("public/link"));
  ASSERT_EQ(::mkfifo(Path("public/fifo").c_str(), 0600), 0);
  for (const char* name : {"public/file", "public/link", "public/fifo"}) {
    // Only root can create files of other users.
    if (!GiveAway(name)) GTEST_SKIP() << "needs root";
    EXPECT_TRUE(IsRefused(Path(name), "another user")) << Refusal(Path(name));
  }
  EXPECT_EQ(Read(Path("victim")), "precious");
  EXPECT_EQ(Read(Path("public/file")), "theirs");
}

// If the directory's owner differs, too: otherwise root's log would go where another user points.
TEST_F(LogFile, RootFollowsNoLinkOfAnotherUser) {
  stdfs::create_directory(Path("home"));
  std::ofstream(Path("victim")) << "precious";
  stdfs::create_symlink("../victim", Path("home/link"));
  // Only root can create files of other users.
  if (!GiveAway("home/link") || !GiveAway("home")) GTEST_SKIP() << "needs root";
  EXPECT_TRUE(IsRefused(Path("home/link"), "symbolic link")) << Refusal(Path("home/link"));
  EXPECT_EQ(Read(Path("victim")), "precious");
  EXPECT_FALSE(IsRefused(Path("home/new"), "symbolic link"));
}

}  // namespace
}  // namespace kvfs::cli
