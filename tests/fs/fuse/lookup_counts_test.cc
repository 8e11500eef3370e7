// The kernel and the file system agree on the lookup count of each inode: in each case they are
// compared while there are references, when one is left for each, and at zero.
#include <linux/fs.h>

#include "tests/fs/file_system_fixture.h"
#include "tests/fs/fuse/fake_kernel.h"

namespace kvfs::fs {
namespace {

class LookupCounts : public FileSystemFixture {
 protected:
  // The file system's references equal the kernel's lookup counts.
  void ExpectSameBooks() { EXPECT_EQ(fs().CountReferencedInodes(), kernel_.told().size()); }

  // At the end of each test there are no references, and no inodes without a name.
  void TearDown() override {
    ExpectSameBooks();
    // Each inode lives exactly as long as its count is positive.
    while (!kernel_.told().empty()) {
      kernel_.ForgetOne();
      ExpectSameBooks();
    }
    EXPECT_EQ(fs().CountReferencedInodes(), 0u);
    const size_t entries = EntriesInStore();
    Reopen();
    EXPECT_EQ(EntriesInStore(), entries) << "something without a name was left";
  }

  FakeKernel kernel_{fs()};
};

TEST_F(LookupCounts, EveryLookupCounts) {
  const InodeNumber file = kernel_.Create("file");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(kernel_.Lookup("file"), file);
  EXPECT_EQ(kernel_.told().at(file), 4u);
}

TEST_F(LookupCounts, WhatFailsDoesNotCount) {
  ASSERT_NE(kernel_.Create("file"), 0u);
  EXPECT_EQ(kernel_.Lookup("absent"), 0u);
  EXPECT_EQ(kernel_.Lookup("name", /*parent=*/12345), 0u);
  EXPECT_EQ(kernel_.Lookup("name", kernel_.Lookup("file")), 0u);
  EXPECT_EQ(kernel_.Create("file"), 0u);
  EXPECT_EQ(kernel_.Mkdir("file"), 0u);
  EXPECT_EQ(kernel_.Link(12345, "name"), 0u);
  EXPECT_EQ(kernel_.Link(kernel_.Lookup("file"), "file"), 0u);
  EXPECT_EQ(kernel_.Rename("absent", "other"), ENOENT);
}

TEST_F(LookupCounts, WhatMakesAnInodeCountsOnce) {
  const InodeNumber file = kernel_.Create("file");
  EXPECT_NE(kernel_.Mknod("fifo"), 0u);
  EXPECT_NE(kernel_.Symlink("link", "target"), 0u);
  EXPECT_NE(kernel_.Create("below", kernel_.Mkdir("directory")), 0u);
  EXPECT_EQ(kernel_.Link(file, "second name"), file);
  EXPECT_EQ(kernel_.told().size(), 5u);
  EXPECT_EQ(kernel_.told().at(file), 2u);
}

TEST_F(LookupCounts, ListingsCountEachNameButTheDots) {
  const InodeNumber directory = kernel_.Mkdir("directory");
  for (int i = 0; i < 100; ++i) kernel_.Create("file " + std::to_string(i), directory);
  EXPECT_EQ(kernel_.ListPlus(directory, 1024), 102u);
  EXPECT_EQ(kernel_.ListPlus(directory, 4096), 102u);
  for (const auto& [inode, count] : kernel_.told()) {
    EXPECT_EQ(count, inode == directory ? 1u : 3u);
  }
}

TEST_F(LookupCounts, TwoNamesOfAFileCountTogether) {
  const InodeNumber file = kernel_.Create("file");
  kernel_.Link(file, "second name");
  kernel_.ListPlus(kRootInode);
  EXPECT_EQ(kernel_.told().at(file), 4u);
}

TEST_F(LookupCounts, AFileWithoutANameLivesUntilItIsForgotten) {
  const InodeNumber file = kernel_.Create("file");
  EXPECT_EQ(kernel_.Unlink("file"), 0);
  EXPECT_EQ(kernel_.Getattr(file), 0);
  kernel_.ForgetSingly();
  EXPECT_EQ(kernel_.Getattr(file), ESTALE);
}

TEST_F(LookupCounts, ADirectoryWithoutANameLivesUntilItIsForgotten) {
  const InodeNumber directory = kernel_.Mkdir("directory");
  EXPECT_EQ(kernel_.Rmdir("directory"), 0);
  EXPECT_EQ(kernel_.Create("file", directory), 0u);
  EXPECT_EQ(kernel_.Getattr(directory), 0);
}

TEST_F(LookupCounts, AFileMadeWithoutANameCounts) {
  const InodeNumber named = kernel_.CreateUnnamed();
  EXPECT_EQ(kernel_.Link(named, "file"), named);
  EXPECT_NE(kernel_.CreateUnnamed(), 0u);
  EXPECT_EQ(kernel_.told().size(), 2u);
}

TEST_F(LookupCounts, RenamesCountNothing) {
  const InodeNumber file = kernel_.Create("file");
  const InodeNumber other = kernel_.Create("other");
  EXPECT_EQ(kernel_.Rename("file", "other", RENAME_EXCHANGE), 0);
  EXPECT_EQ(kernel_.Rename("file", "other"), 0);
  EXPECT_EQ(kernel_.Getattr(file), 0);
  EXPECT_EQ(kernel_.Getattr(other), 0);
}

TEST_F(LookupCounts, AnAnswerThatDoesNotArriveDoesNotCount) {
  const InodeNumber file = kernel_.Create("file");
  const auto lose = [this](auto&& call) {
    kernel_.LoseNextReply();
    call();
    ExpectSameBooks();
  };
  lose([&] { kernel_.Lookup("file"); });
  lose([&] { kernel_.Create("created"); });
  lose([&] { kernel_.CreateUnnamed(); });
  lose([&] { kernel_.Mknod("fifo"); });
  lose([&] { kernel_.Mkdir("directory"); });
  lose([&] { kernel_.Symlink("link", "target"); });
  lose([&] { kernel_.Link(file, "second name"); });
  lose([&] { kernel_.ListPlus(kRootInode); });
  EXPECT_EQ(kernel_.told().at(file), 1u);
}

TEST_F(LookupCounts, ManyLookupsOfOneAreForgottenByOneMessage) {
  for (const char* name : {"file", "other"}) {
    kernel_.Create(name);
    for (int i = 0; i < 3; ++i) kernel_.Lookup(name);
  }
  kernel_.ForgetSingly();
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
}

TEST_F(LookupCounts, ManyAreForgottenByOneMessage) {
  for (int i = 0; i < 100; ++i) kernel_.Create("file " + std::to_string(i));
  kernel_.ListPlus(kRootInode);
  kernel_.Unlink("file 7");
  kernel_.ForgetTogether();
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
}

TEST_F(LookupCounts, NumbersThatNobodyWasToldOfAreForgottenInVain) {
  const InodeNumber file = kernel_.Create("file");
  kernel_.ForgetTooOften(12345);
  kernel_.ForgetTooOften(kRootInode);
  EXPECT_EQ(kernel_.Getattr(kRootInode), 0);
  kernel_.ForgetTooOften(file);
  EXPECT_EQ(kernel_.Getattr(file), ESTALE);
}

TEST_F(LookupCounts, AForgottenNumberIsNotGivenAgain) {
  const InodeNumber first = kernel_.Create("file");
  kernel_.Unlink("file");
  kernel_.ForgetSingly();
  EXPECT_GT(kernel_.Create("file"), first);
}

TEST_F(LookupCounts, FilesOfTheControlDirectoryHaveBooksOfTheirOwn) {
  const InodeNumber directory = kernel_.Lookup(".kvfs");
  const InodeNumber config = kernel_.Lookup("config", directory);
  EXPECT_TRUE(kernel_.control().Find(config));
  EXPECT_EQ(fs().CountReferencedInodes(), 0u);
  kernel_.ForgetTogether();
  EXPECT_FALSE(kernel_.control().Find(config));
}

}  // namespace
}  // namespace kvfs::fs
