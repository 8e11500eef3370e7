// Access control lists of inodes, kept consistent with their modes (rules in fs/access_list.h).
#include <sys/stat.h>

#include <utility>

#include "fs/access_list.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint32_t kAccessBits = 0777;

// Lists are checked before they are stored, but the stored bytes may be damaged.
Result<AccessList> DecodeStored(std::string_view bytes) {
  auto list = AccessList::Decode(bytes);
  if (!list) return Fail(ErrorCode::kCorrupt, "the access control list of a file is malformed");
  return list;
}

}  // namespace

Result<void> StoreFileSystem::TakeAccessList(InodeInfo& inode, XattrMap& xattrs,
                                             const Caller& caller) {
  if (inode.attributes.IsSymbolicLink()) return Fail(ErrorCode::kUnsupported);
  const auto stored = xattrs.find(kAccessListXattr);
  KVFS_ASSIGN(const AccessList list, AccessList::Decode(stored->second));
  uint32_t& mode = inode.attributes.mode;
  mode = list.ModeOf(mode);
  // As chmod(2) does.
  const bool has_setgid = (mode & S_ISGID) != 0;
  if (has_setgid && !caller.MayLeaveSetgid(inode.attributes.gid)) mode &= ~uint32_t{S_ISGID};
  if (list.SaysNoMoreThanMode()) xattrs.erase(stored);
  return CheckXattrs(xattrs);
}

Result<void> StoreFileSystem::CheckDefaultList(const InodeInfo& inode, std::string_view value) {
  if (!inode.attributes.IsDirectory()) return Fail(ErrorCode::kPermission);
  KVFS_TRY(AccessList::Decode(value));
  return {};
}

Result<void> StoreFileSystem::AddModeToList(AttributeBatch& change, const Location& at,
                                            const InodeInfo& inode, uint32_t permissions) const {
  KVFS_ASSIGN(const StoredXattrs stored, LoadXattrs(at, inode));
  const auto found = stored.xattrs.find(kAccessListXattr);
  if (found == stored.xattrs.end()) return {};
  KVFS_ASSIGN(AccessList list, DecodeStored(found->second));
  list.TakeMode(permissions);
  XattrMap xattrs = stored.xattrs;
  xattrs.insert_or_assign(std::string(kAccessListXattr), list.Encode());
  AddXattrs(change, at, inode.number, stored, xattrs);
  return {};
}

Result<XattrMap> StoreFileSystem::InheritAccess(Attributes& child, const XattrMap& of_parent,
                                                const Caller& caller) {
  XattrMap xattrs;
  if (child.IsSymbolicLink()) return xattrs;
  const auto found = of_parent.find(kDefaultListXattr);
  if (found == of_parent.end()) {
    child.mode &= ~(caller.umask & kAccessBits);
    return xattrs;
  }
  KVFS_ASSIGN(AccessList list, DecodeStored(found->second));
  child.mode = list.Inherit(child.mode);
  if (!list.SaysNoMoreThanMode()) xattrs.emplace(kAccessListXattr, list.Encode());
  if (child.IsDirectory()) xattrs.insert(*found);
  child.has_xattrs = !xattrs.empty();
  return xattrs;
}

}  // namespace kvfs::fs
