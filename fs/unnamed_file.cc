// Files that are written before they get a name, so that nobody sees them half written. Their
// entries lie in kTransientSpace, like those of unlinked files, and go with a crash.
#include <sys/stat.h>

#include <mutex>

#include "fs/file_system.h"
#include "fs/names.h"

namespace kvfs::fs {

Result<InodeInfo> FileSystem::CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                                const Caller& caller) {
  const std::string name = "unnamed " + std::to_string(unnamed_files_.fetch_add(1));
  const Key key = {kTransientSpace, name};
  std::shared_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location directory_at, LocateParent(directory));
  KVFS_ASSIGN(const InodeInfo parent, Load(directory_at.key()));
  Attributes attributes;
  attributes.mode = S_IFREG | (permissions & 07777);
  attributes.links = 0;
  TakeOwnership(attributes, parent.attributes, caller);
  KVFS_ASSIGN(const StoredXattrs of_parent, LoadXattrs(directory_at, parent));
  KVFS_ASSIGN(const XattrMap xattrs, InheritAccess(attributes, of_parent.xattrs, caller));
  attributes.atime = attributes.mtime = attributes.ctime = Now();
  const std::string meta = EncodeAttributes(attributes);
  InodeNumber inode = 0;
  Batch create;
  create.Put(key, {}, meta, Batch::IfPresent::kRefuse, &inode);
  KVFS_TRY(store_.Apply(create));
  if (!xattrs.empty()) {
    AttributeBatch change(default_attributes_);
    AddXattrs(change, {key.space, name, false}, inode, {}, xattrs);
    KVFS_TRY(change.Apply(store_));
  }
  return FindAndReference(key);
}

Result<InodeInfo> FileSystem::CreateStagedFile(InodeNumber receiver) {
  const std::string name = "unnamed " + std::to_string(unnamed_files_.fetch_add(1));
  const Key key = {kTransientSpace, name};
  Attributes attributes;
  attributes.mode = S_IFREG | 0600;
  attributes.links = 0;
  const std::string meta = EncodeAttributes(attributes);
  std::shared_lock lock(namespace_lock_);
  Batch create;
  create.PutAs(key, receiver == 0 ? store_.ReserveId(name) : store_.ReserveIdLike(receiver), {},
               meta);
  KVFS_TRY(store_.Apply(create));
  return FindAndReference(key);
}

Result<void> FileSystem::NameFile(InodeNumber file, InodeNumber parent, std::string_view name) {
  KVFS_TRY(CheckName(name));
  std::unique_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(file));
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  const Key key = {parent, name};
  KVFS_ASSIGN(const std::optional<Found> replaced, FindIfPresent(key));
  KVFS_TRY(CheckNameable(at, replaced));
  KVFS_ASSIGN(InodeInfo unnamed, Load(at.key()));
  const Timespec now = Now();

  AttributeBatch change(default_attributes_);
  if (replaced) {
    KVFS_ASSIGN(unnamed, TakeOver(change, at, unnamed, *replaced));
    DropName(change, key, *replaced, now);
  }
  GiveFirstName(change, at, unnamed, key, now);
  TouchDirectory(change, parent_at.key(), 0, now);
  KVFS_TRY(change.Apply(store_));
  if (replaced) NoteDrop(*replaced);
  inodes_.Relocate(file, key);
  return {};
}

Result<InodeInfo> FileSystem::TakeOver(AttributeBatch& change, const Location& at,
                                       InodeInfo unnamed, const Found& replaced) const {
  KVFS_ASSIGN(const StoredXattrs own, LoadXattrs(at, unnamed));
  KVFS_ASSIGN(const StoredXattrs taken, LoadXattrs(replaced.at, replaced.inode));
  AddXattrs(change, at, unnamed.number, own, taken.xattrs);
  Attributes& attributes = unnamed.attributes;
  attributes.mode = replaced.inode.attributes.mode;
  attributes.uid = replaced.inode.attributes.uid;
  attributes.gid = replaced.inode.attributes.gid;
  attributes.has_xattrs = !taken.xattrs.empty();
  change.batch().EditMeta(at.key(), change.Edit([attributes](Attributes& a) {
    a.mode = attributes.mode;
    a.uid = attributes.uid;
    a.gid = attributes.gid;
    a.has_xattrs = attributes.has_xattrs;
  }));
  return unnamed;
}

Result<void> FileSystem::CheckNameable(const Location& file, const std::optional<Found>& replaced) {
  if (file.space != kTransientSpace || file.is_directory) {
    return Fail(ErrorCode::kInvalid, "only a file without a name can be given one");
  }
  if (!replaced || replaced->inode.attributes.IsRegular()) return {};
  if (replaced->IsDirectory()) return Fail(ErrorCode::kIsDirectory);
  return Fail(ErrorCode::kInvalid, "not a regular file");
}

}  // namespace kvfs::fs
