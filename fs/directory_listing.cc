// Listings. An entry's offset is its position in the store (at least 16, a hash of its name), so a
// listing continues correctly from any offset whatever has been created and removed: no state is
// kept between two pages. Offset 1 is after ".", 2 after "..".
//
// 32-bit programs are limited to 31-bit offsets. FUSE does not say which program asks, so these are
// a mount option; they are the leading bits of the position. Names that share an offset are on one
// page, but a program that reads less than a page at a time (with musl's readdir) can miss one of
// them: among a million names, some hundred pairs share an offset.
#include <sys/stat.h>

#include <algorithm>

#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kAfterDot = 1;
constexpr uint64_t kAfterDotDot = 2;
constexpr uint64_t kLastOffset = (uint64_t{1} << 63) - 1;
constexpr uint64_t kLastShortOffset = (uint64_t{1} << 31) - 1;

// Offsets of a listing: all bits of a position, or the leading ones.
class Offsets {
 public:
  explicit Offsets(bool are_short) : unused_bits_(are_short ? 63 - 31 : 0) {}

  bool IsEnd(uint64_t offset) const {
    return offset >= (unused_bits_ > 0 ? kLastShortOffset : kLastOffset);
  }
  // The first positions share one offset, since lower ones are reserved.
  uint64_t Of(Position position) const { return std::max(position >> unused_bits_, kLeast); }
  // The first position after all that share the offset.
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

// The directory that has this directory's entry. A removed directory is its own parent.
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
  SharedLock lock(namespace_lock_);
  return ListPage(directory, offset, limit);
}

Result<std::vector<DirectoryEntry>> StoreFileSystem::ListDirectoryPlus(InodeNumber directory,
                                                                       uint64_t offset,
                                                                       const PageLimit& limit) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(std::vector<DirectoryEntry> entries, ListPage(directory, offset, limit));
  for (DirectoryEntry& entry : entries) {
    if (IsDot(entry)) continue;
    // Listed without a type if damaged, so that the rest can be listed.
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
