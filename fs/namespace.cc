// Names that are looked up, made and taken away.
//
// A name that goes takes its inode with it, unless the inode is still referenced: then its entry
// moves to kTransientSpace, in the same batch, and Forget erases it there. Whether it is referenced
// cannot change meanwhile: references are added under the shared namespace lock only.
#include <sys/stat.h>

#include <mutex>
#include <utility>

#include "fs/file_system.h"
#include "fs/names.h"

namespace kvfs::fs {
namespace {

constexpr size_t kMaxTargetBytes = 4095;  // Linux's PATH_MAX without the final NUL
constexpr uint32_t kPermissionBits = 07777;

bool IsFileOrDevice(uint32_t mode) {
  return S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

Result<void> CheckTarget(std::string_view target) {
  if (target.empty()) return Fail(ErrorCode::kInvalid, "a symbolic link needs a target");
  if (target.size() > kMaxTargetBytes) return Fail(ErrorCode::kNameTooLong);
  return {};
}

}  // namespace

Result<InodeInfo> FileSystem::Lookup(InodeNumber parent, std::string_view name) {
  KVFS_TRY(CheckName(name));
  std::shared_lock lock(namespace_lock_);
  KVFS_TRY(LocateParent(parent));
  return LoadAndReference({parent, name});
}

void FileSystem::Forget(InodeNumber inode, uint64_t count) {
  std::shared_lock lock(namespace_lock_);
  const auto last = inodes_.DropReferences(inode, count);
  if (!last || last->space != kTransientSpace) return;
  Batch batch;
  batch.Erase(last->key());
  // Nobody is there to be told of an error; what is left is erased at the next opening.
  static_cast<void>(store_.Apply(batch));
}

Result<InodeInfo> FileSystem::CreateFile(InodeNumber parent, std::string_view name, uint32_t mode,
                                         uint64_t device, const Caller& caller) {
  if (!IsFileOrDevice(mode)) return Fail(ErrorCode::kInvalid, "not the type of a file");
  Attributes attributes;
  attributes.mode = mode & (S_IFMT | kPermissionBits);
  if (S_ISCHR(mode) || S_ISBLK(mode)) attributes.device = device;
  return CreateEntry(parent, name, attributes, {}, caller);
}

Result<InodeInfo> FileSystem::MakeDirectory(InodeNumber parent, std::string_view name,
                                            uint32_t permissions, const Caller& caller) {
  Attributes attributes;
  attributes.mode = S_IFDIR | (permissions & kPermissionBits);
  attributes.links = 2;
  return CreateEntry(parent, name, attributes, {}, caller);
}

Result<InodeInfo> FileSystem::MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                               std::string_view target, const Caller& caller) {
  KVFS_TRY(CheckTarget(target));
  Attributes attributes;
  attributes.mode = S_IFLNK | 0777;
  return CreateEntry(parent, name, attributes, AsBytes(target), caller);
}

Result<InodeInfo> FileSystem::CreateEntry(InodeNumber parent, std::string_view name,
                                          Attributes attributes, Bytes content,
                                          const Caller& caller) {
  KVFS_TRY(CheckName(name));
  std::shared_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const InodeInfo directory, Load(parent_at.key()));
  TakeOwnership(attributes, directory.attributes, caller);
  const Timespec now = Now();
  attributes.atime = attributes.mtime = attributes.ctime = now;
  const std::string meta = EncodeAttributes(attributes);

  AttributeBatch change(default_attributes_);
  change.batch().Put({parent, name}, content, meta, Batch::IfPresent::kRefuse);
  TouchDirectory(change, parent_at.key(), attributes.IsDirectory() ? 1 : 0, now);
  KVFS_TRY(change.Apply(store_));
  return LoadAndReference({parent, name});
}

Result<void> FileSystem::Unlink(InodeNumber parent, std::string_view name) {
  return RemoveName(parent, name, /*directory=*/false);
}

Result<void> FileSystem::RemoveDirectory(InodeNumber parent, std::string_view name) {
  return RemoveName(parent, name, /*directory=*/true);
}

Result<void> FileSystem::RemoveName(InodeNumber parent, std::string_view name, bool directory) {
  KVFS_TRY(CheckName(name));
  const Key key = {parent, name};
  std::unique_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const InodeInfo inode, Load(key));
  KVFS_TRY(CheckRemovable(inode, directory));
  const Timespec now = Now();
  const std::string transient_name = TransientName(inode.number);

  AttributeBatch change(default_attributes_);
  Retire(change, key, inode.number, transient_name, now);
  TouchDirectory(change, parent_at.key(), directory ? -1 : 0, now);
  KVFS_TRY(change.Apply(store_));
  inodes_.Relocate(inode.number, {kTransientSpace, transient_name});
  return {};
}

Result<void> FileSystem::CheckRemovable(const InodeInfo& inode, bool as_directory) const {
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

void FileSystem::Retire(AttributeBatch& change, Key key, InodeNumber inode,
                        std::string_view transient_name, Timespec now) const {
  if (!inodes_.IsReferenced(inode)) {
    change.batch().Erase(key);
    return;
  }
  change.batch().Move(key, {kTransientSpace, transient_name}, change.Edit([now](Attributes& a) {
    a.links = 0;
    a.ctime = now;
  }));
}

void FileSystem::TouchDirectory(AttributeBatch& change, Key directory, int more_subdirectories,
                                Timespec now) {
  change.batch().EditMeta(directory, change.Edit([more_subdirectories, now](Attributes& a) {
    a.links += static_cast<uint32_t>(more_subdirectories);
    a.mtime = a.ctime = now;
  }));
}

std::string FileSystem::TransientName(InodeNumber inode) { return std::to_string(inode); }

}  // namespace kvfs::fs
