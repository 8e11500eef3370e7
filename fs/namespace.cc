// Looks up, creates and removes names.
//
// Removing an inode's last name erases the inode, unless it is still referenced: then its entry
// moves to kTransientDirectory, together with its extended attributes, in the same batch, and
// Forget erases them there. Whether it is referenced cannot change meanwhile: references are added
// under the shared namespace lock only.
#include <sys/stat.h>

#include <utility>

#include "fs/names.h"
#include "fs/new_entry.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint32_t kPermissionBits = 07777;

bool IsFileOrDevice(uint32_t mode) {
  return S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

}  // namespace

Result<InodeInfo> StoreFileSystem::Lookup(InodeNumber parent, std::string_view name) {
  KVFS_TRY(CheckName(name));
  SharedLock lock(namespace_lock_);
  KVFS_TRY(LocateParent(parent));
  return FindAndReference({parent, name});
}

void StoreFileSystem::Forget(InodeNumber inode, uint64_t count) {
  SharedLock lock(namespace_lock_);
  const auto last = inodes_.DropReferences(inode, count);
  if (!last || last->directory != kTransientDirectory) return;
  AttributeBatch change(default_attributes_);
  change.batch().Erase(last->key());
  const Location xattrs = XattrsOf(*last, inode);
  const auto unnamed = Load(last->key());
  if (unnamed && HasStoredXattrs(*unnamed, xattrs.key())) change.batch().Erase(xattrs.key());
  // An error cannot be reported here; leftovers are erased at the next opening.
  static_cast<void>(change.Apply(store_));
}

Result<InodeInfo> StoreFileSystem::CreateFile(InodeNumber parent, std::string_view name,
                                              uint32_t mode, uint64_t device,
                                              const Caller& caller) {
  if (!IsFileOrDevice(mode)) return Fail(ErrorCode::kInvalid, "not the type of a file");
  Attributes attributes;
  attributes.mode = mode & (S_IFMT | kPermissionBits);
  if (S_ISCHR(mode) || S_ISBLK(mode)) attributes.device = device;
  return CreateEntry(parent, name, attributes, {}, caller);
}

Result<InodeInfo> StoreFileSystem::MakeDirectory(InodeNumber parent, std::string_view name,
                                                 uint32_t permissions, const Caller& caller) {
  Attributes attributes;
  attributes.mode = S_IFDIR | (permissions & kPermissionBits);
  attributes.links = 2;
  return CreateEntry(parent, name, attributes, {}, caller);
}

Result<InodeInfo> StoreFileSystem::MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                                    std::string_view target, const Caller& caller) {
  KVFS_TRY(CheckSymlinkTarget(target));
  Attributes attributes;
  attributes.mode = S_IFLNK | 0777;
  return CreateEntry(parent, name, attributes, AsBytes(target), caller);
}

Result<InodeInfo> StoreFileSystem::CreateEntry(InodeNumber parent, std::string_view name,
                                               Attributes attributes, Bytes content,
                                               const Caller& caller) {
  KVFS_TRY(CheckName(name));
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const InodeInfo directory, Load(parent_at.key()));
  TakeOwnership(attributes, directory.attributes, caller);
  KVFS_ASSIGN(const StoredXattrs of_parent, LoadXattrs(parent_at, directory));
  KVFS_ASSIGN(const XattrMap xattrs, InheritAccess(attributes, of_parent.xattrs, caller));
  const Timespec now = Now();
  attributes.atime = attributes.mtime = attributes.ctime = now;
  const std::string meta = EncodeAttributes(attributes);
  const Key key = {parent, name};

  AttributeBatch change(default_attributes_);
  if (xattrs.empty()) {
    change.batch().Put(key, content, meta, Batch::IfPresent::kRefuse);
  } else {
    change.batch().Expect(key, Batch::kAbsent);
    PutWithXattrs(change, key, content, meta, xattrs);
  }
  TouchDirectory(change, parent_at.key(), attributes.IsDirectory() ? 1 : 0, now);
  auto applied = change.Apply(store_);
  if (!applied && applied.error().code == ErrorCode::kConflict) return Fail(ErrorCode::kExists);
  KVFS_TRY(applied);
  return FindAndReference(key);
}

// Extended attributes are stored under their inode's number, which is reserved beforehand.
void StoreFileSystem::PutWithXattrs(AttributeBatch& change, Key key, Bytes content,
                                    std::string_view meta, const XattrMap& xattrs) {
  const InodeNumber inode = store_.ReserveId(key.name);
  change.batch().PutAs(key, inode, content, meta);
  const Location xattrs_at = XattrsOf({key.directory, {}, false}, inode);
  change.batch().Put({xattrs_at.directory, change.Keep(xattrs_at.name)},
                     AsBytes(change.Keep(EncodeXattrs(xattrs))));
}

Result<void> StoreFileSystem::Unlink(InodeNumber parent, std::string_view name) {
  return RemoveName(parent, name, /*directory=*/false);
}

Result<void> StoreFileSystem::RemoveDirectory(InodeNumber parent, std::string_view name) {
  return RemoveName(parent, name, /*directory=*/true);
}

Result<void> StoreFileSystem::RemoveName(InodeNumber parent, std::string_view name,
                                         bool directory) {
  KVFS_TRY(CheckName(name));
  const Key key = {parent, name};
  MutexLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const Found found, Find(key));
  KVFS_TRY(CheckRemovable(found.inode, directory));
  const Timespec now = Now();
  AttributeBatch change(default_attributes_);
  DropName(change, key, found, now);
  TouchDirectory(change, parent_at.key(), directory ? -1 : 0, now);
  KVFS_TRY(change.Apply(store_));
  NoteDrop(found);
  return {};
}

Result<void> StoreFileSystem::CheckRemovable(const InodeInfo& inode, bool as_directory) const {
  if (!as_directory) {
    if (inode.attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
    return {};
  }
  if (!inode.attributes.IsDirectory()) return Fail(ErrorCode::kNotDirectory);
  bool is_empty = true;
  KVFS_TRY(store_.List(inode.number, kFirstPosition, [&](const ListedEntry&) {
    is_empty = false;
    return false;
  }));
  if (!is_empty) return Fail(ErrorCode::kNotEmpty);
  return {};
}

void StoreFileSystem::DropName(AttributeBatch& change, Key name, const Found& found,
                               Timespec now) const {
  if (found.is_shared) change.batch().Erase(name);
  if (found.IsLastName()) return Orphan(change, found, now);
  change.batch().EditMeta(found.at.key(), change.Edit([now](Attributes& a) {
    --a.links;
    a.ctime = now;
  }));
}

void StoreFileSystem::Orphan(AttributeBatch& change, const Found& found, Timespec now) const {
  const InodeNumber inode = found.inode.number;
  const Key xattrs = {kXattrDirectory, change.Keep(std::to_string(inode))};
  const bool has_xattrs = HasStoredXattrs(found.inode, xattrs);
  if (!inodes_.IsReferenced(inode)) {
    change.batch().Erase(found.at.key());
    if (has_xattrs) change.batch().Erase(xattrs);
    return;
  }
  const Key transient = {kTransientDirectory, change.Keep(TransientName(inode))};
  change.batch().Move(found.at.key(), transient, change.Edit([now](Attributes& a) {
    a.links = 0;
    a.ctime = now;
  }));
  if (has_xattrs)
    change.batch().Move(xattrs, {kTransientDirectory, change.Keep(UnnamedXattrName(inode))});
}

void StoreFileSystem::NoteDrop(const Found& found) {
  if (!found.IsLastName()) return;
  inodes_.Relocate(found.inode.number, {kTransientDirectory, TransientName(found.inode.number)});
}

void StoreFileSystem::TouchDirectory(AttributeBatch& change, Key directory, int more_subdirectories,
                                     Timespec now) {
  change.batch().EditMeta(directory, change.Edit([more_subdirectories, now](Attributes& a) {
    a.links += static_cast<uint32_t>(more_subdirectories);
    a.mtime = a.ctime = now;
  }));
}

std::string StoreFileSystem::TransientName(InodeNumber inode) { return std::to_string(inode); }

}  // namespace kvfs::fs
