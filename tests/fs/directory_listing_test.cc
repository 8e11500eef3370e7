// Listings: complete, and correct from any offset, even if entries are added and removed between
// pages.
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/fs/file_system_fixture.h"

namespace kvfs::fs {
namespace {

using Names = std::vector<std::string>;

std::string Numbered(int i) { return "name" + std::to_string(i); }

class DirectoryListing : public FileSystemFixture {
 protected:
  DirectoryListing() = default;
  explicit DirectoryListing(const CreateOptions& options) : FileSystemFixture(options) {}

  Names MakeFiles(int count) {
    Names names;
    for (int i = 0; i < count; ++i) names.push_back(Numbered(i));
    for (const std::string& name : names) ForgetAll(File(name));
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<DirectoryEntry> Page(uint64_t offset, size_t bytes = 4096,
                                   InodeNumber directory = kRootInode) {
    const auto page = fs().ListDirectory(directory, offset, {bytes, EntryBytes});
    EXPECT_TRUE(page);
    return page.value_or(std::vector<DirectoryEntry>());
  }
};

TEST_F(DirectoryListing, StartsWithTheDirectoryAndItsParent) {
  const InodeInfo a = Directory("a");
  const InodeInfo b = Directory("b", a.number);
  const auto page = Page(0, 4096, b.number);
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].name, ".");
  EXPECT_EQ(page[0].inode.number, b.number);
  EXPECT_EQ(page[1].name, "..");
  EXPECT_EQ(page[1].inode.number, a.number);
  EXPECT_EQ(Page(0)[1].inode.number, kRootInode);
  EXPECT_EQ(Page(0, 4096, a.number)[1].inode.number, kRootInode);
}

TEST_F(DirectoryListing, TellsNumbersAndTypes) {
  const InodeInfo directory = Directory("d");
  const auto link = fs().MakeSymbolicLink(kRootInode, "l", "x", kRoot);
  for (const DirectoryEntry& entry : Page(2)) {
    const bool is_link = entry.name == "l";
    EXPECT_EQ(entry.inode.number, is_link ? link->number : directory.number);
    EXPECT_EQ(entry.inode.attributes.mode, is_link ? S_IFLNK : S_IFDIR);
  }
}

TEST_F(DirectoryListing, IsCompleteWhateverThePageSize) {
  const Names names = MakeFiles(300);
  for (const size_t bytes : {size_t{60}, size_t{100}, size_t{1000}, size_t{100'000}}) {
    EXPECT_EQ(List(kRootInode, bytes), names) << bytes;
  }
}

TEST_F(DirectoryListing, GoesOnFromEveryOffset) {
  MakeFiles(50);
  const auto all = Page(0);
  ASSERT_EQ(all.size(), 52u);
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    EXPECT_EQ(Page(all[i].next_offset).front().name, all[i + 1].name);
  }
  EXPECT_TRUE(Page(all.back().next_offset).empty());
  EXPECT_TRUE(Page(UINT64_MAX).empty());
}

TEST_F(DirectoryListing, SurvivesDeletionsBetweenPages) {
  const Names names = MakeFiles(200);
  std::set<std::string> listed;
  uint64_t offset = 2;
  while (true) {
    const auto page = Page(offset, 500);
    if (page.empty()) break;
    for (const DirectoryEntry& entry : page) {
      EXPECT_TRUE(listed.insert(entry.name).second);
      ASSERT_TRUE(fs().Unlink(kRootInode, entry.name));
    }
    offset = page.back().next_offset;
  }
  EXPECT_EQ(listed.size(), names.size());
  EXPECT_EQ(List(), Names{});
}

TEST_F(DirectoryListing, ListsOldNamesOnceWhileNewOnesCome) {
  const Names names = MakeFiles(100);
  std::multiset<std::string> listed;
  uint64_t offset = 2;
  for (int round = 0;; ++round) {
    const auto page = Page(offset, 200);
    if (page.empty()) break;
    for (const DirectoryEntry& entry : page) listed.insert(entry.name);
    offset = page.back().next_offset;
    ForgetAll(File("new" + std::to_string(round)));
  }
  for (const std::string& name : names) EXPECT_EQ(listed.count(name), 1u) << name;
}

TEST_F(DirectoryListing, OffsetsStayAcrossReopening) {
  MakeFiles(50);
  const auto before = Page(0);
  Reopen();
  const auto after = Page(0);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].name, after[i].name);
    EXPECT_EQ(before[i].next_offset, after[i].next_offset);
  }
}

TEST_F(DirectoryListing, PlusTellsWhatLookupTells) {
  ForgetAll(File("f", std::string(100'000, 'x')));
  const auto page = fs().ListDirectoryPlus(kRootInode, 2, {4096, EntryBytes});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 1u);
  const InodeInfo listed = page->front().inode;
  const InodeInfo found = Find("f");
  EXPECT_EQ(listed.number, found.number);
  EXPECT_EQ(listed.attributes, found.attributes);
  EXPECT_EQ(listed.size_bytes, 100'000u);
  EXPECT_EQ(listed.allocated_bytes, found.allocated_bytes);
}

TEST_F(DirectoryListing, PlusRefersToAllButTheDots) {
  const InodeInfo directory = Directory("d");
  ForgetAll(File("f", "content", directory.number));
  const size_t referenced = fs().CountReferencedInodes();
  const auto page = fs().ListDirectoryPlus(directory.number, 0, {4096, EntryBytes});
  ASSERT_EQ(page->size(), 3u);
  EXPECT_EQ(fs().CountReferencedInodes(), referenced + 1);
  EXPECT_EQ(Read(page->back().inode.number), "content");
  fs().Forget(page->back().inode.number, 1);
  EXPECT_EQ(fs().CountReferencedInodes(), referenced);
}

TEST_F(DirectoryListing, PlusRefersToNothingThatDidNotFit) {
  MakeFiles(20);
  const auto page = fs().ListDirectoryPlus(kRootInode, 2, {5 * EntryBytes(6), EntryBytes});
  EXPECT_LE(page->size(), 5u);
  EXPECT_EQ(fs().CountReferencedInodes(), page->size());
}

TEST_F(DirectoryListing, ALargeOneIsListedWholeWhileOthersAddAndRemove) {
  const InodeInfo directory = Directory("d");
  std::set<std::string> names;
  for (int i = 0; i < 20'000; ++i) {
    ForgetAll(File(*names.insert(Numbered(i)).first, {}, directory.number));
  }
  std::atomic<bool> is_listed = false;
  std::thread others([&] {
    for (int i = 0; !is_listed; i = (i + 1) % 500) {
      const std::string name = "other" + std::to_string(i);
      ForgetAll(File(name, {}, directory.number));
      EXPECT_TRUE(fs().Unlink(directory.number, name));
    }
  });
  std::multiset<std::string> listed;
  for (uint64_t offset = 2;;) {
    const auto page = Page(offset, 4096, directory.number);
    if (page.empty()) break;
    for (const DirectoryEntry& entry : page) {
      if (!entry.name.starts_with("other")) listed.insert(entry.name);
    }
    offset = page.back().next_offset;
  }
  is_listed = true;
  others.join();
  EXPECT_EQ(listed.size(), names.size());
  EXPECT_TRUE(std::equal(listed.begin(), listed.end(), names.begin(), names.end()));
}

TEST_F(DirectoryListing, DamagedEntriesAreListedWithoutAType) {
  MakeFiles(2);
  Batch batch;
  batch.Put({kRootDirectory, "odd"}, {}, "\x07nonsense");
  ASSERT_TRUE(store().Apply(batch));
  const auto page = fs().ListDirectoryPlus(kRootInode, 2, {4096, EntryBytes});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->size(), 3u);
  for (const DirectoryEntry& entry : *page) {
    EXPECT_EQ(entry.IsReferable(), entry.name != "odd");
  }
  EXPECT_EQ(fs().CountReferencedInodes(), 2u);
}

CreateOptions ShortHashes() {
  CreateOptions options;
  options.hash_bits = 4;
  return options;
}

TEST_F(DirectoryListing, OffsetsMayBeForProgramsOf32Bits) {
  const Names names = MakeFiles(200);
  // By default positions have all bits of the hash, so that no two names share one.
  EXPECT_GT(Page(2, 100'000).back().next_offset, 1ULL << 60);
  ReopenWithShortOffsets();
  for (const DirectoryEntry& entry : Page(0, 100'000)) EXPECT_LT(entry.next_offset, 1U << 31);
  EXPECT_EQ(List(kRootInode, 100), names);
}

// Sixteen positions for all names, so that many names share one.
class CollidingNames : public DirectoryListing {
 protected:
  CollidingNames() : DirectoryListing(ShortHashes()) {}
};

TEST_F(CollidingNames, AreAllListed) {
  const Names names = MakeFiles(100);
  EXPECT_EQ(List(kRootInode, 2000), names);
  EXPECT_EQ(List(kRootInode, 100'000), names);
}

TEST_F(CollidingNames, AreToldApart) {
  for (int i = 0; i < 100; ++i) File(Numbered(i), std::to_string(i));
  for (int i = 0; i < 100; i += 2) ASSERT_TRUE(fs().Unlink(kRootInode, Numbered(i)));
  for (int i = 1; i < 100; i += 2) EXPECT_EQ(ReadName(Numbered(i)), std::to_string(i));
  EXPECT_EQ(List(kRootInode, 2000).size(), 50u);
}

TEST_F(CollidingNames, ShareAPageSoThatAnyOffsetGoesOn) {
  MakeFiles(100);
  uint64_t offset = 2;
  while (true) {
    const auto page = Page(offset, 1500);
    if (page.empty()) break;
    const auto next = Page(page.back().next_offset, 1500);
    if (!next.empty()) {
      EXPECT_NE(next.front().next_offset, page.back().next_offset);
    }
    offset = page.back().next_offset;
  }
}

}  // namespace
}  // namespace kvfs::fs
