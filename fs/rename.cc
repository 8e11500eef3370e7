// Rename, in its three modes. Each is one batch: moves of entries, and edits of the two parents.
//
// A replaced file loses its name first, as by Unlink. For a hard link only the name moves; the
// inode's own entry, whose ctime changes, stays where it is.
#include <utility>

#include "fs/names.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

Result<void> CheckPresence(bool has_new_name, RenameMode mode) {
  if (mode == RenameMode::kNoReplace && has_new_name) return Fail(ErrorCode::kExists);
  if (mode == RenameMode::kExchange && !has_new_name) return Fail(ErrorCode::kNotFound);
  return {};
}

MetaEdit SetCtime(AttributeBatch& change, Timespec now) {
  return change.Edit([now](Attributes& a) { a.ctime = now; });
}

}  // namespace

Result<void> StoreFileSystem::Rename(InodeNumber parent, std::string_view name,
                                     InodeNumber new_parent, std::string_view new_name,
                                     RenameMode mode) {
  KVFS_TRY(CheckName(name));
  KVFS_TRY(CheckName(new_name));
  MutexLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const Location new_parent_at, LocateParent(new_parent));
  const RenamePlace from = {{parent, name}, parent_at.key()};
  const RenamePlace to = {{new_parent, new_name}, new_parent_at.key()};
  KVFS_ASSIGN(const Found moved, Find(from.entry));
  KVFS_ASSIGN(const std::optional<Found> other, FindIfPresent(to.entry));
  KVFS_TRY(CheckPresence(other.has_value(), mode));
  if (other && other->inode.number == moved.inode.number) return {};
  if (mode == RenameMode::kExchange) return ExchangeEntries(from, moved, to, *other);
  if (other) KVFS_TRY(CheckRemovable(other->inode, moved.IsDirectory()));
  return MoveEntry(from, moved, to, other);
}

Result<void> StoreFileSystem::MoveEntry(const RenamePlace& from, const Found& moved,
                                        const RenamePlace& to,
                                        const std::optional<Found>& replaced) {
  const Timespec now = Now();
  AttributeBatch change(default_attributes_);
  if (replaced) DropName(change, to.entry, *replaced, now);
  MoveName(change, from.entry, to.entry,
           moved.is_shared ? std::optional(moved.at.key()) : std::nullopt, now);
  const int moved_directories = moved.IsDirectory() ? 1 : 0;
  const int replaced_directories = replaced && replaced->IsDirectory() ? 1 : 0;
  TouchParents(change, from, -moved_directories, to, moved_directories - replaced_directories, now);
  KVFS_TRY(change.Apply(store_));
  if (replaced) NoteDrop(*replaced);
  if (!moved.is_shared) inodes_.Relocate(moved.inode.number, to.entry);
  return {};
}

void StoreFileSystem::MoveName(AttributeBatch& change, Key from, Key to,
                               const std::optional<Key>& shared, Timespec now) {
  change.batch().Move(from, to, shared ? MetaEdit() : SetCtime(change, now));
  if (shared) change.batch().EditMeta(*shared, SetCtime(change, now));
}

Result<void> StoreFileSystem::ExchangeEntries(const RenamePlace& from, const Found& moved,
                                              const RenamePlace& to, const Found& other) {
  const Timespec now = Now();
  AttributeBatch change(default_attributes_);
  change.batch().Exchange(from.entry, to.entry,
                          moved.is_shared ? MetaEdit() : SetCtime(change, now),
                          other.is_shared ? MetaEdit() : SetCtime(change, now));
  for (const Found* found : {&moved, &other}) {
    if (found->is_shared) change.batch().EditMeta(found->at.key(), SetCtime(change, now));
  }
  const int gained = (moved.IsDirectory() ? 1 : 0) - (other.IsDirectory() ? 1 : 0);
  TouchParents(change, from, -gained, to, gained, now);
  KVFS_TRY(change.Apply(store_));
  if (!moved.is_shared) inodes_.Relocate(moved.inode.number, to.entry);
  if (!other.is_shared) inodes_.Relocate(other.inode.number, from.entry);
  return {};
}

void StoreFileSystem::TouchParents(AttributeBatch& change, const RenamePlace& from,
                                   int more_in_from, const RenamePlace& to, int more_in_to,
                                   Timespec now) {
  if (from.parent == to.parent) {
    TouchDirectory(change, from.parent, more_in_from + more_in_to, now);
    return;
  }
  TouchDirectory(change, from.parent, more_in_from, now);
  TouchDirectory(change, to.parent, more_in_to, now);
}

}  // namespace kvfs::fs
