// Additional names of files. fs/hard_link.h describes the entry of such a file and its names; here
// the entry is moved there.
//
// Everything that changes a number of links runs under the exclusive namespace lock, so a number
// stays valid from its read until the batch is applied.
#include <sys/stat.h>

#include <utility>

#include "fs/names.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {

Result<InodeInfo> StoreFileSystem::Link(InodeNumber inode, InodeNumber parent,
                                        std::string_view name) {
  KVFS_TRY(CheckName(name));
  MutexLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  if (at.is_directory) return Fail(ErrorCode::kPermission);
  KVFS_ASSIGN(const InodeInfo file, Load(at.key()));
  if (file.attributes.links >= kMaxLinks) return Fail(ErrorCode::kTooManyLinks);
  const Timespec now = Now();

  AttributeBatch change(default_attributes_);
  const Key key = {parent, name};
  Key new_place = at.key();
  if (at.directory == kTransientDirectory) {
    new_place = key;
    GiveFirstName(change, at, file, key, now);
  } else {
    new_place = Share(change, at, file, now);
    PutLink(change, key, file);
  }
  TouchDirectory(change, parent_at.key(), 0, now);
  KVFS_TRY(change.Apply(store_));
  inodes_.Relocate(inode, new_place);
  inodes_.AddReference(inode, new_place, /*is_directory=*/false);
  return Load(new_place);
}

void StoreFileSystem::PutLink(AttributeBatch& change, Key name, const InodeInfo& file) {
  change.batch().Put(
      name, {}, change.Keep(EncodeHardLink({file.number, file.attributes.mode & uint32_t{S_IFMT}})),
      Batch::IfPresent::kRefuse);
}

void StoreFileSystem::GiveFirstName(AttributeBatch& change, const Location& at,
                                    const InodeInfo& file, Key name, Timespec now) const {
  change.batch().Move(at.key(), name, change.Edit([now](Attributes& a) {
    a.links = 1;
    a.ctime = now;
  }),
                      Batch::IfPresent::kRefuse);
  if (!file.attributes.has_xattrs) return;
  change.batch().Move({kTransientDirectory, change.Keep(UnnamedXattrName(file.number))},
                      {kXattrDirectory, change.Keep(std::to_string(file.number))});
}

Key StoreFileSystem::Share(AttributeBatch& change, const Location& at, const InodeInfo& file,
                           Timespec now) {
  MetaEdit add_link = change.Edit([now](Attributes& a) {
    ++a.links;
    a.ctime = now;
  });
  if (at.directory == kSharedDirectory) {
    change.batch().EditMeta(at.key(), std::move(add_link));
    return at.key();
  }
  const Key shared = {kSharedDirectory, change.Keep(SharedName(file.number))};
  change.batch().Move(at.key(), shared, std::move(add_link));
  PutLink(change, at.key(), file);
  return shared;
}

}  // namespace kvfs::fs
