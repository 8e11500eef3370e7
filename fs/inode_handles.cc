// Inodes that the kernel names by number although it has forgotten them, or never knew them: for a
// file handle it looks up "." in an inode, and ".." in a directory.
//
// An inode with several names has its entry under its number; one with a single name is searched
// for (fs/inode_finder.h), without the namespace lock, and so may have moved by the time it is
// found.

#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

// How often a file may move while it is searched for.
constexpr int kAttempts = 10;

bool IsAbsent(const Result<InodeInfo>& found) {
  return !found && found.error().code == ErrorCode::kNotFound;
}

}  // namespace

InodeFinder::Kind StoreFileSystem::KindOf(std::string_view meta) const {
  if (IsHardLink(meta)) return InodeFinder::Kind::kNoInode;
  const auto attributes = ReadMeta(meta, default_attributes_);
  const bool is_directory = attributes && attributes->IsDirectory();
  return is_directory ? InodeFinder::Kind::kDirectory : InodeFinder::Kind::kOther;
}

Result<InodeInfo> StoreFileSystem::LookupNumber(InodeNumber inode) {
  std::optional<InodeFinder::Place> wrong;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto known = ReferenceKnown(inode);
    if (!IsAbsent(known)) return known;
    KVFS_ASSIGN(const auto place, finder_.Find(inode, wrong));
    if (!place) break;
    auto found = ReferenceAt(*place);
    if (!IsAbsent(found)) return found;
    wrong = place;
  }
  return Fail(ErrorCode::kStale);
}

Result<InodeInfo> StoreFileSystem::LookupParent(InodeNumber directory) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(directory));
  if (!at.is_directory) return Fail(ErrorCode::kNotDirectory);
  if (at.directory == kTransientDirectory) return Fail(ErrorCode::kStale);
  lock.unlock();
  return LookupNumber(at.directory == kAttributeDirectory ? kRootInode : at.directory);
}

// Without a search. kNotFound; kStale for a file without a name.
Result<InodeInfo> StoreFileSystem::ReferenceKnown(InodeNumber inode) {
  SharedLock lock(namespace_lock_);
  const auto known = Locate(inode);
  const Location at = known ? *known : Location{kSharedDirectory, SharedName(inode), false};
  if (at.directory == kTransientDirectory) return Fail(ErrorCode::kStale);
  KVFS_ASSIGN(const InodeInfo found, Load(at.key()));
  if (found.number != inode) return Fail(ErrorCode::kNotFound);
  if (inode != kRootInode) inodes_.AddReference(inode, at.key(), at.is_directory);
  return found;
}

// kNotFound if it is not there any more.
Result<InodeInfo> StoreFileSystem::ReferenceAt(const InodeFinder::Place& place) {
  SharedLock lock(namespace_lock_);
  std::optional<std::string> name;
  KVFS_TRY(store_.List(place.directory, place.position, [&](const ListedEntry& entry) {
    if (entry.position != place.position) return false;
    if (entry.id == place.inode) name = entry.name;
    return !name;
  }));
  if (!name) return Fail(ErrorCode::kNotFound);
  return FindAndReference({place.directory, *name});
}

}  // namespace kvfs::fs
