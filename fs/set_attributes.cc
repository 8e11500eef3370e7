// Reads and changes attributes. A change is one edit of the entry's meta under the store's lock, so
// that concurrent changes of different attributes are all kept.
#include <sys/stat.h>

#include "fs/set_id_bits.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint32_t kPermissionBits = 07777;

bool IsEmpty(const AttributeChange& change) {
  return !change.permissions && !change.uid && !change.gid && !change.size_bytes && !change.atime &&
         !change.mtime && !change.ctime && !change.drops_privileges;
}

bool OwnsOrRules(const Caller& caller, const Attributes& a) {
  return caller.uid == 0 || caller.uid == a.uid;
}

void SetTimes(const AttributeChange& wanted, Timespec now, Attributes& a) {
  if (wanted.size_bytes) a.mtime = now;
  if (wanted.atime) a.atime = *wanted.atime;
  if (wanted.mtime) a.mtime = *wanted.mtime;
  a.ctime = wanted.ctime.value_or(now);
}

void SetOwnerAndMode(const AttributeChange& wanted, const Caller& caller, Attributes& a) {
  if (wanted.uid || wanted.gid || wanted.drops_privileges) DropPrivileges(a, caller);
  if (wanted.size_bytes) DropPrivilegesOfWritten(a, caller);
  a.uid = wanted.uid.value_or(a.uid);
  a.gid = wanted.gid.value_or(a.gid);
  if (wanted.permissions) {
    a.mode = (a.mode & S_IFMT) | (*wanted.permissions & kPermissionBits);
  }
}

Result<void> CheckSize(const InodeInfo& inode, uint64_t size_bytes) {
  if (inode.attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
  if (!inode.attributes.IsRegular()) return Fail(ErrorCode::kInvalid);
  if (size_bytes > kMaxContentBytes) return Fail(ErrorCode::kTooLarge);
  return {};
}

}  // namespace

Result<InodeInfo> StoreFileSystem::GetAttributes(InodeNumber inode) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  return Load(at.key());
}

Result<InodeInfo> StoreFileSystem::SetAttributes(InodeNumber inode, const AttributeChange& wanted,
                                                 const Caller& caller) {
  if (wanted.size_bytes) {
    KVFS_TRY(
        CutInParts(inode, [&](Batch& batch, Key key) { batch.Resize(key, *wanted.size_bytes); }));
  }
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  if (IsEmpty(wanted)) return Load(at.key());
  std::optional<InodeInfo> before;
  if (wanted.size_bytes || wanted.permissions) {
    KVFS_ASSIGN(before, Load(at.key()));
  }
  AttributeBatch change(default_attributes_);
  MetaEdit edit = change.Edit([&wanted, &caller, now = Now()](Attributes& a) {
    if (wanted.drops_privileges && !OwnsOrRules(caller, a)) return;
    SetOwnerAndMode(wanted, caller, a);
    SetTimes(wanted, now, a);
  });
  if (wanted.size_bytes) {
    KVFS_TRY(CheckSize(*before, *wanted.size_bytes));
    change.batch().Resize(at.key(), *wanted.size_bytes, std::move(edit));
  } else {
    change.batch().EditMeta(at.key(), std::move(edit));
  }
  if (wanted.permissions) KVFS_TRY(AddModeToList(change, at, *before, *wanted.permissions));
  KVFS_TRY(change.Apply(store_));
  return Load(at.key());
}

}  // namespace kvfs::fs
