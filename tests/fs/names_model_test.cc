// Random operations on names, with crashes in between: link counts always match the names, and no
// entry is left without a name.
//
// A failure is reported with its seed.
#include <sys/stat.h>

#include <map>
#include <random>

#include "fs/hard_link.h"
#include "fs/xattrs.h"
#include "tests/fs/file_system_fixture.h"
#include "tests/support/small_store.h"

namespace kvfs::fs {
namespace {

class NamesModel : public FileSystemFixture, public testing::WithParamInterface<unsigned> {
 protected:
  NamesModel() : FileSystemFixture(SmallStore()), random_(GetParam()) {
    directories_ = {kRootInode, Directory("one").number, Directory("two").number};
  }

  size_t Below(size_t limit) { return random_() % limit; }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(6))); }
  InodeNumber Parent() { return directories_[Below(directories_.size())]; }

  // Refused operations matter as much as successful ones: the test examines what they leave behind.
  void TakeStep() {
    const InodeNumber parent = Parent();
    const std::string name = Name();
    const auto found = fs().Lookup(parent, name);
    switch (Below(10)) {
      case 0:
      case 1:
        Keep(fs().CreateFile(parent, name, S_IFREG | 0644, 0, kUser));
        break;
      case 2:
        Keep(fs().MakeDirectory(parent, name, 0755, kUser));
        break;
      case 3:
      case 4:
        if (found) Keep(fs().Link(found->number, Parent(), Name()));
        break;
      case 5:
        static_cast<void>(fs().Unlink(parent, name));
        break;
      case 6:
        static_cast<void>(fs().RemoveDirectory(parent, name));
        break;
      case 7:
        // Between the permanent directories, so that none is moved into itself.
        static_cast<void>(fs().Rename(parent, name, Parent(), Name(), RandomMode()));
        break;
      case 8:
        if (found) SetXattr(found->number);
        break;
      default:
        if (Below(2) == 0) {
          PutStaged(parent, name, found ? found->number : 0);
        } else {
          NameUnnamed(parent, name);
        }
    }
    if (found) fs().Forget(found->number, 1);
  }

  RenameMode RandomMode() {
    constexpr RenameMode kModes[] = {RenameMode::kReplace, RenameMode::kNoReplace,
                                     RenameMode::kExchange};
    return kModes[Below(3)];
  }
  void SetXattr(InodeNumber inode) {
    static_cast<void>(fs().SetXattr(inode, "user.a", "b", XattrMode::kAny, kRoot));
    if (Below(3) == 0) static_cast<void>(fs().RemoveXattr(inode, "user.a"));
  }
  void NameUnnamed(InodeNumber parent, const std::string& name) {
    const auto file = fs().CreateUnnamedFile(parent, 0600, kUser);
    if (!file) return;
    if (Below(2) == 0) SetXattr(file->number);
    Keep(fs().Link(file->number, parent, name));
    Keep(file);
  }
  // Like a large put, of which nothing is visible before it is complete.
  void PutStaged(InodeNumber parent, const std::string& name, InodeNumber receiver) {
    const auto staged = fs().CreateStagedFile(receiver);
    if (!staged) return;
    Write(staged->number, 0, "content");
    PathOperation put;
    put.path = PathOf(parent) + name;
    put.staged = staged->number;
    static_cast<void>(fs().ApplyChanges(std::span(&put, 1), kUser));
    fs().Forget(staged->number, 1);
  }
  std::string PathOf(InodeNumber directory) const {
    if (directory == directories_[1]) return "one/";
    return directory == directories_[2] ? "two/" : "";
  }
  // Some references are kept for long, like those of open files.
  void Keep(const Result<InodeInfo>& inode) {
    if (!inode) return;
    if (Below(4) == 0) {
      kept_.push_back(inode->number);
    } else {
      fs().Forget(inode->number, 1);
    }
  }
  void ForgetSome() {
    for (const InodeNumber inode : std::exchange(kept_, {})) fs().Forget(inode, 1);
  }
  void Crash() {
    kept_.clear();
    CrashAndReopen();
    directories_ = {kRootInode, Find("one").number, Find("two").number};
  }

  // Counts the entries of a directory, and of its subdirectories.
  void Count(DirectoryId directory) {
    ASSERT_TRUE(store().List(directory, kFirstPosition, [&](const ListedEntry& entry) {
      if (IsHardLink(entry.meta)) {
        ++hard_links_[DecodeHardLink(entry.meta)->inode];
        return true;
      }
      const Attributes attributes = *DecodeAttributes(entry.meta);
      if (attributes.has_xattrs) ++flags_[entry.id];
      if (attributes.IsDirectory()) {
        ++subdirectories_[directory];
        links_[entry.id] = attributes.links;
        Count(entry.id);
      }
      return true;
    }));
  }

  void ExpectConsistency() {
    hard_links_.clear(), flags_.clear(), subdirectories_.clear(), links_.clear();
    links_[kRootInode] = Stat(kRootInode).attributes.links;
    Count(kRootDirectory);
    for (const auto& [directory, links] : links_) {
      EXPECT_EQ(links, 2 + subdirectories_[directory]) << directory;
    }
    std::map<InodeNumber, uint32_t> shared;
    ASSERT_TRUE(store().List(kSharedDirectory, kFirstPosition, [&](const ListedEntry& entry) {
      const Attributes attributes = *DecodeAttributes(entry.meta);
      EXPECT_EQ(entry.name, SharedName(entry.id));
      shared[entry.id] = attributes.links;
      if (attributes.has_xattrs) ++flags_[entry.id];
      return true;
    }));
    EXPECT_EQ(shared, hard_links_);
    std::map<InodeNumber, uint32_t> xattrs;
    ASSERT_TRUE(store().List(kXattrDirectory, kFirstPosition, [&](const ListedEntry& entry) {
      ++xattrs[std::stoull(std::string(entry.name))];
      return true;
    }));
    EXPECT_EQ(xattrs, flags_);
  }
  size_t CountUnnamed() {
    size_t count = 0;
    EXPECT_TRUE(store().List(kTransientDirectory, kFirstPosition, [&](const ListedEntry&) {
      ++count;
      return true;
    }));
    return count;
  }

 private:
  std::mt19937 random_;
  std::vector<InodeNumber> directories_;
  std::vector<InodeNumber> kept_;
  // By inode: its names, and whether it has extended attributes; by directory: the number of its
  // entries, and the number in its attributes.
  std::map<InodeNumber, uint32_t> hard_links_, flags_, subdirectories_, links_;
};

TEST_P(NamesModel, CountsAgreeWithNames) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    for (int step = 0; step < 50; ++step) TakeStep();
    ExpectConsistency();
    if (round % 4 == 1) ForgetSome();
    if (round % 4 == 3) Crash();
    ExpectConsistency();
    if (round % 4 == 3) {
      EXPECT_EQ(CountUnnamed(), 0u);
    }
  }
  ForgetSome();
  EXPECT_EQ(CountUnnamed(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, NamesModel, testing::Range(1u, 9u));

}  // namespace
}  // namespace kvfs::fs
