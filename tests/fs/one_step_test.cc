// Each call that changes names is one batch of the store, so a crash never leaves half of it: all
// entries that it changes have the version of one log record.
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

class OneStep : public FileSystemFixture {
 protected:
  // Expects that the last change affected all of the entries, in one step.
  void ExpectChangedTogether(const std::vector<InodeNumber>& inodes) {
    const uint64_t version = Stat(inodes.front()).version;
    EXPECT_GT(version, std::exchange(last_version_, version));
    for (const InodeNumber inode : inodes) EXPECT_EQ(Stat(inode).version, version) << inode;
  }
  void Move(std::string_view name, const InodeInfo& to, std::string_view new_name,
            RenameMode mode = RenameMode::kReplace) {
    ASSERT_TRUE(fs().Rename(kRootInode, name, to.number, new_name, mode));
  }

  const InodeInfo directory_ = Directory("directory");

 private:
  uint64_t last_version_ = 0;
};

TEST_F(OneStep, MakesAnEntryAndTouchesItsDirectory) {
  ExpectChangedTogether({directory_.number, kRootInode});
  ExpectChangedTogether({File("file", {}, directory_.number).number, directory_.number});
  const auto link = fs().MakeSymbolicLink(kRootInode, "link", "target", kUser);
  ASSERT_TRUE(link);
  ExpectChangedTogether({link->number, kRootInode});
}

TEST_F(OneStep, MovesAnEntryAndTouchesBothDirectories) {
  const InodeInfo file = File("file");
  Move("file", directory_, "file");
  ExpectChangedTogether({file.number, kRootInode, directory_.number});
}

TEST_F(OneStep, ReplacesWhatHasTheName) {
  const InodeInfo file = File("file"), other = File("other", {}, directory_.number);
  Move("file", directory_, "other");
  ExpectChangedTogether({file.number, other.number, kRootInode, directory_.number});
}

TEST_F(OneStep, ExchangesTwoNames) {
  const InodeInfo file = File("file"), other = Directory("other", directory_.number);
  Move("file", directory_, "other", RenameMode::kExchange);
  ExpectChangedTogether({file.number, other.number, kRootInode, directory_.number});
}

TEST_F(OneStep, GivesAFileItsSecondNameAndTakesOneAway) {
  const InodeInfo file = File("file");
  ASSERT_TRUE(fs().Link(file.number, directory_.number, "second"));
  ExpectChangedTogether({file.number, directory_.number});
  ASSERT_TRUE(fs().Unlink(kRootInode, "file"));
  ExpectChangedTogether({file.number, kRootInode});
}

TEST_F(OneStep, TakesTheLastNameOfAFileInUse) {
  const InodeInfo file = File("file");
  ASSERT_TRUE(fs().Unlink(kRootInode, "file"));
  ExpectChangedTogether({file.number, kRootInode});
}

TEST_F(OneStep, GivesAnUnnamedFileItsName) {
  const auto file = fs().CreateUnnamedFile(kRootInode, 0600, kUser);
  ASSERT_TRUE(file);
  ASSERT_TRUE(fs().Link(file->number, directory_.number, "file"));
  ExpectChangedTogether({file->number, directory_.number});
}

}  // namespace
}  // namespace kvfs::fs
