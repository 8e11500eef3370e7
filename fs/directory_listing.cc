// Listings. An entry's offset is the front of its position in the store, which is a hash of its
// name; so a listing goes on rightly from any offset whatever has come and gone: nothing is
// remembered between two pages. Offset 1 is after ".", 2 after "..".
//
// An offset has 31 bits, since programs of 32 bits can have no more (ext4 gives those a shorter
// hash, too; FUSE does not tell who asks). Names that share one are on one page; of a billion names
// hardly a dozen do.
#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "fs/file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kAfterDot = 1;
constexpr uint64_t kAfterDotDot = 2;
constexpr uint64_t kLastOffset = (uint64_t{1} << 31) - 1;
constexpr int kUnusedBits = 63 - 31;
// The first positions share an offset, as there are none for them below.
constexpr uint64_t kLeastOffset = kAfterDotDot + 1;

uint64_t OffsetOf(Position position) { return std::max(position >> kUnusedBits, kLeastOffset); }

// Behind all that share the offset.
Position PositionAfter(uint64_t offset) {
  return offset < kLeastOffset ? kFirstPosition : (offset + 1) << kUnusedBits;
}

InodeInfo OfType(InodeNumber number, uint32_t type) {
  InodeInfo inode;
  inode.number = number;
  inode.attributes.mode = type;
  return inode;
}

// The directory's entry lies in the space of its parent. A removed one is its own parent.
InodeNumber ParentOf(InodeNumber directory, const Location& at) {
  if (at.space == kAttributeSpace) return kRootInode;
  return at.space == kTransientSpace ? directory : at.space;
}

bool AddDots(ListingPage& page, InodeNumber directory, const Location& at, uint64_t offset) {
  if (offset < kAfterDot && !page.Add(".", kAfterDot, OfType(directory, S_IFDIR))) return false;
  if (offset >= kAfterDotDot) return true;
  return page.Add("..", kAfterDotDot, OfType(ParentOf(directory, at), S_IFDIR));
}

bool IsDot(const DirectoryEntry& entry) { return entry.next_offset <= kAfterDotDot; }

}  // namespace

Result<std::vector<DirectoryEntry>> FileSystem::ListDirectory(InodeNumber directory,
                                                              uint64_t offset,
                                                              const PageLimit& limit) {
  std::shared_lock lock(namespace_lock_);
  return ListPage(directory, offset, limit);
}

Result<std::vector<DirectoryEntry>> FileSystem::ListDirectoryPlus(InodeNumber directory,
                                                                  uint64_t offset,
                                                                  const PageLimit& limit) {
  std::shared_lock lock(namespace_lock_);
  KVFS_ASSIGN(std::vector<DirectoryEntry> entries, ListPage(directory, offset, limit));
  for (DirectoryEntry& entry : entries) {
    if (IsDot(entry)) continue;
    // Listed without a type if damaged: the others must not suffer for it.
    auto inode = FindAndReference({directory, entry.name});
    entry.inode = inode ? *inode : OfType(entry.inode.number, 0);
  }
  return entries;
}

InodeInfo FileSystem::InodeOf(const ListedEntry& entry) const {
  if (IsHardLink(entry.meta)) {
    const auto link = DecodeHardLink(entry.meta);
    return link ? OfType(link->inode, link->type) : OfType(entry.id, 0);
  }
  const auto attributes = ReadMeta(entry.meta, default_attributes_);
  return OfType(entry.id, attributes ? attributes->mode & S_IFMT : 0);
}

Result<std::vector<DirectoryEntry>> FileSystem::ListPage(InodeNumber directory, uint64_t offset,
                                                         const PageLimit& limit) const {
  KVFS_ASSIGN(const Location at, Locate(directory));
  if (!at.is_directory) return Fail(ErrorCode::kNotDirectory);
  ListingPage page(limit);
  if (offset >= kLastOffset || !AddDots(page, directory, at, offset)) return page.Take();
  KVFS_TRY(store_.List(directory, PositionAfter(offset), [&](const ListedEntry& entry) {
    return page.Add(entry.name, OffsetOf(entry.position), InodeOf(entry));
  }));
  return page.Take();
}

}  // namespace kvfs::fs
