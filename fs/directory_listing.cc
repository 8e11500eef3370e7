// Listings. An entry's offset is its position in the store (at least 16, a hash of its name), so a
// listing goes on rightly from any offset whatever has come and gone: nothing is remembered between
// two pages. Offset 1 is after ".", 2 after "..".
//
// Programs of 32 bits can have offsets of 31 bits only. Who asks, FUSE does not tell; so they are
// an option, and the front of the position. Names that share one are on one page, but who reads
// less than a page at a time (musl's readdir) can miss one of them: of a million names, some
// hundred pairs share theirs.
#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kAfterDot = 1;
constexpr uint64_t kAfterDotDot = 2;
constexpr uint64_t kLastOffset = (uint64_t{1} << 63) - 1;
constexpr uint64_t kLastShortOffset = (uint64_t{1} << 31) - 1;

// Offsets of a listing, all or the front of the bits of a position.
class Offsets {
 public:
  explicit Offsets(bool are_short) : unused_bits_(are_short ? 63 - 31 : 0) {}

  bool IsEnd(uint64_t offset) const {
    return offset >= (unused_bits_ > 0 ? kLastShortOffset : kLastOffset);
  }
  // The first positions share one, as there are none for them below.
  uint64_t Of(Position position) const { return std::max(position >> unused_bits_, kLeast); }
  // Behind all that share the offset.
  Position PositionAfter(uint64_t offset) const {
    if (offset < kLeast) return kFirstPosition;
    return std::max<Position>((offset + 1) << unused_bits_, kFirstPosition);
  }

 private:
  static constexpr uint64_t kLeast = kAfterDotDot + 1;
  const int unused_bits_;
};

InodeInfo OfType(InodeNumber number, uint32_t type) {
  InodeInfo inode;
  inode.number = number;
  inode.attributes.mode = type;
  return inode;
}

// The directory's entry lies in its parent. A removed one is its own parent.
InodeNumber ParentOf(InodeNumber directory, const Location& at) {
  if (at.directory == kAttributeDirectory) return kRootInode;
  return at.directory == kTransientDirectory ? directory : at.directory;
}

bool AddDots(ListingPage& page, InodeNumber directory, const Location& at, uint64_t offset) {
  if (offset < kAfterDot && !page.Add(".", kAfterDot, OfType(directory, S_IFDIR))) return false;
  if (offset >= kAfterDotDot) return true;
  return page.Add("..", kAfterDotDot, OfType(ParentOf(directory, at), S_IFDIR));
}

bool IsDot(const DirectoryEntry& entry) { return entry.next_offset <= kAfterDotDot; }

}  // namespace

Result<std::vector<DirectoryEntry>> StoreFileSystem::ListDirectory(InodeNumber directory,
                                                                   uint64_t offset,
                                                                   const PageLimit& limit) {
  std::shared_lock lock(namespace_lock_);
  return ListPage(directory, offset, limit);
}

Result<std::vector<DirectoryEntry>> StoreFileSystem::ListDirectoryPlus(InodeNumber directory,
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

InodeInfo StoreFileSystem::InodeOf(const ListedEntry& entry) const {
  if (IsHardLink(entry.meta)) {
    const auto link = DecodeHardLink(entry.meta);
    return link ? OfType(link->inode, link->type) : OfType(entry.id, 0);
  }
  const auto attributes = ReadMeta(entry.meta, default_attributes_);
  return OfType(entry.id, attributes ? attributes->mode & S_IFMT : 0);
}

Result<std::vector<DirectoryEntry>> StoreFileSystem::ListPage(InodeNumber directory,
                                                              uint64_t offset,
                                                              const PageLimit& limit) const {
  KVFS_ASSIGN(const Location at, Locate(directory));
  if (!at.is_directory) return Fail(ErrorCode::kNotDirectory);
  ListingPage page(limit);
  const Offsets offsets(options_.short_offsets);
  if (offsets.IsEnd(offset) || !AddDots(page, directory, at, offset)) return page.Take();
  KVFS_TRY(store_.List(directory, offsets.PositionAfter(offset), [&](const ListedEntry& entry) {
    return page.Add(entry.name, offsets.Of(entry.position), InodeOf(entry));
  }));
  return page.Take();
}

}  // namespace kvfs::fs
