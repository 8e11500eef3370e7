// Reads and writes contents, and reads targets of symbolic links.
#include <sys/stat.h>

#include "fs/names.h"
#include "fs/new_entry.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {

Result<size_t> StoreFileSystem::Read(InodeNumber inode, uint64_t offset, MutableBytes out) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, LocateContent(inode, offset, 0));
  return store_.Read(at.key(), offset, out);
}

Result<StoreFileSystem::Written> StoreFileSystem::Write(InodeNumber inode, uint64_t offset,
                                                        Bytes data, const Caller& caller) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, LocateContent(inode, offset, data.size()));
  Written written{offset, false};
  if (data.empty()) return written;
  AttributeBatch change(default_attributes_);
  change.batch().Write(at.key(), offset, data, Touch(change, caller, &written.cleared_bits));
  KVFS_TRY(change.Apply(store_));
  return written;
}

Result<StoreFileSystem::Written> StoreFileSystem::AppendAt(const Location& at, uint64_t end,
                                                           Bytes data, const Caller& caller) {
  Written written{end, false};
  AttributeBatch change(default_attributes_);
  change.batch().Append(at.key(), end, data, Touch(change, caller, &written.cleared_bits));
  KVFS_TRY(change.Apply(store_));
  return written;
}

// The end may move between the lookup and the append, but not while the lock is held exclusively.
Result<StoreFileSystem::Written> StoreFileSystem::Append(InodeNumber inode, uint64_t believed_end,
                                                         Bytes data, const Caller& caller) {
  {
    SharedLock lock(namespace_lock_);
    KVFS_ASSIGN(const Location at, LocateContent(inode, believed_end, data.size()));
    if (data.empty()) return Written{believed_end, false};
    auto appended = AppendAt(at, believed_end, data, caller);
    if (appended || appended.error().code != ErrorCode::kConflict) return appended;
  }
  MutexLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  KVFS_ASSIGN(const InodeInfo file, Load(at.key()));
  if (data.size() > kMaxContentBytes - file.size_bytes) return Fail(ErrorCode::kTooLarge);
  return AppendAt(at, file.size_bytes, data, caller);
}

Result<std::string> StoreFileSystem::ReadLink(InodeNumber inode) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  KVFS_ASSIGN(const InodeInfo link, Load(at.key()));
  if (!link.attributes.IsSymbolicLink()) return Fail(ErrorCode::kInvalid);
  // Earlier versions accepted longer ones.
  KVFS_TRY(CheckSymlinkTargetSize(link.size_bytes));
  std::string target(link.size_bytes, '\0');
  KVFS_TRY(store_.Read(at.key(), 0, std::as_writable_bytes(std::span(target))));
  KVFS_TRY(CheckSymlinkTarget(target));
  return target;
}

}  // namespace kvfs::fs
