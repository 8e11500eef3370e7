// Files that are written before they get a name, so that nobody sees them half written. Their
// entries lie in kTransientSpace, like those of unlinked files, and go with a crash.
#include <sys/stat.h>

#include <mutex>

#include "fs/file_system.h"
#include "fs/names.h"

namespace kvfs::fs {

Result<InodeInfo> FileSystem::CreateUnnamedFile(uint32_t permissions, const Caller& caller) {
  Attributes attributes;
  attributes.mode = S_IFREG | (permissions & 07777);
  attributes.links = 0;
  attributes.uid = caller.uid;
  attributes.gid = caller.gid;
  attributes.atime = attributes.mtime = attributes.ctime = Now();
  const std::string meta = EncodeAttributes(attributes);
  const std::string name = "unnamed " + std::to_string(unnamed_files_.fetch_add(1));
  const Key key = {kTransientSpace, name};

  std::shared_lock lock(namespace_lock_);
  Batch batch;
  batch.Put(key, {}, meta, Batch::IfPresent::kRefuse);
  KVFS_TRY(store_.Apply(batch));
  return LoadAndReference(key);
}

Result<void> FileSystem::NameFile(InodeNumber file, InodeNumber parent, std::string_view name) {
  KVFS_TRY(CheckName(name));
  std::unique_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location file_at, Locate(file));
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  const Key key = {parent, name};
  KVFS_ASSIGN(const std::optional<InodeInfo> replaced, LoadIfPresent(key));
  KVFS_TRY(CheckNameable(file_at, replaced));
  KVFS_ASSIGN(const InodeInfo directory, Load(parent_at.key()));
  const Timespec now = Now();
  const InodeNumber replaced_number = replaced ? replaced->number : 0;
  const std::string transient_name = TransientName(replaced_number);

  AttributeBatch change(default_attributes_);
  if (replaced) Retire(change, key, replaced_number, transient_name, now);
  change.batch().Move(file_at.key(), key, change.Edit([&](Attributes& a) {
    if (replaced) {
      a.mode = replaced->attributes.mode;
      a.uid = replaced->attributes.uid;
      a.gid = replaced->attributes.gid;
    } else {
      TakeOwnership(a, directory.attributes, {a.uid, a.gid});
    }
    a.links = 1;
    a.ctime = now;
  }));
  TouchDirectory(change, parent_at.key(), 0, now);
  KVFS_TRY(change.Apply(store_));
  if (replaced) inodes_.Relocate(replaced_number, {kTransientSpace, transient_name});
  inodes_.Relocate(file, key);
  return {};
}

Result<void> FileSystem::CheckNameable(const Location& file,
                                       const std::optional<InodeInfo>& replaced) {
  if (file.space != kTransientSpace || file.is_directory) {
    return Fail(ErrorCode::kInvalid, "only a file without a name can be given one");
  }
  if (!replaced || replaced->attributes.IsRegular()) return {};
  if (replaced->attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
  return Fail(ErrorCode::kInvalid, "not a regular file");
}

}  // namespace kvfs::fs
