// Files that are written before they get a name, so that they are never seen half written. Their
// entries are in kTransientDirectory, like those of unlinked files, and do not survive a crash.
#include <sys/stat.h>

#include "fs/store_file_system.h"

namespace kvfs::fs {

// Leftovers of an earlier process that could not be erased have other names: `opened_at_` differs,
// since each such file changed the store.
std::string StoreFileSystem::NewUnnamed() {
  return "unnamed " + std::to_string(opened_at_) + "-" +
         std::to_string(unnamed_files_.fetch_add(1));
}

Result<InodeInfo> StoreFileSystem::CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                                     const Caller& caller) {
  const std::string name = NewUnnamed();
  const Key key = {kTransientDirectory, name};
  SharedLock lock(namespace_lock_);
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
  AttributeBatch change(default_attributes_);
  if (xattrs.empty()) {
    change.batch().Put(key, {}, meta, Batch::IfPresent::kRefuse);
  } else {
    PutWithXattrs(change, key, {}, meta, xattrs);
  }
  KVFS_TRY(change.Apply(store_));
  return FindAndReference(key);
}

Result<InodeInfo> StoreFileSystem::CreateStagedFile(InodeNumber receiver) {
  const std::string name = NewUnnamed();
  const Key key = {kTransientDirectory, name};
  Attributes attributes;
  attributes.mode = S_IFREG | 0600;
  attributes.links = 0;
  const std::string meta = EncodeAttributes(attributes);
  SharedLock lock(namespace_lock_);
  Batch create;
  create.PutAs(key, receiver == 0 ? store_.ReserveId(name) : store_.ReserveIdLike(receiver), {},
               meta);
  KVFS_TRY(store_.Apply(create));
  return FindAndReference(key);
}

}  // namespace kvfs::fs
