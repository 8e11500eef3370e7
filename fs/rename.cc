// Rename, in its three modes. Each is one batch: moves of entries, and edits of the two parents.
//
// What is replaced is retired first, as by Unlink. An exchange goes through a name in
// kTransientSpace that exists inside the batch only.
#include <mutex>
#include <utility>

#include "fs/file_system.h"
#include "fs/names.h"

namespace kvfs::fs {
namespace {

constexpr Key kExchangeKey = {kTransientSpace, "exchange"};

Result<void> CheckPresence(const std::optional<InodeInfo>& at_new_name, RenameMode mode) {
  if (mode == RenameMode::kNoReplace && at_new_name) return Fail(ErrorCode::kExists);
  if (mode == RenameMode::kExchange && !at_new_name) return Fail(ErrorCode::kNotFound);
  return {};
}

int CountDirectory(const std::optional<InodeInfo>& inode) {
  return inode && inode->attributes.IsDirectory() ? 1 : 0;
}

MetaEdit SetCtime(AttributeBatch& change, Timespec now) {
  return change.Edit([now](Attributes& a) { a.ctime = now; });
}

}  // namespace

Result<void> FileSystem::Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                                std::string_view new_name, RenameMode mode) {
  KVFS_TRY(CheckName(name));
  KVFS_TRY(CheckName(new_name));
  std::unique_lock lock(namespace_lock_);
  KVFS_ASSIGN(const Location parent_at, LocateParent(parent));
  KVFS_ASSIGN(const Location new_parent_at, LocateParent(new_parent));
  const RenamePlace from = {{parent, name}, parent_at.key()};
  const RenamePlace to = {{new_parent, new_name}, new_parent_at.key()};
  KVFS_ASSIGN(const InodeInfo moved, Load(from.entry));
  KVFS_ASSIGN(const std::optional<InodeInfo> other, LoadIfPresent(to.entry));
  KVFS_TRY(CheckPresence(other, mode));
  if (from.entry == to.entry) return {};
  if (mode == RenameMode::kExchange) return ExchangeEntries(from, moved, to, *other);
  if (other) KVFS_TRY(CheckRemovable(*other, moved.attributes.IsDirectory()));
  return MoveEntry(from, moved, to, other);
}

Result<void> FileSystem::MoveEntry(const RenamePlace& from, const InodeInfo& moved,
                                   const RenamePlace& to,
                                   const std::optional<InodeInfo>& replaced) {
  const Timespec now = Now();
  const InodeNumber replaced_number = replaced ? replaced->number : 0;
  const std::string transient_name = TransientName(replaced_number);

  AttributeBatch change(default_attributes_);
  if (replaced) Retire(change, to.entry, replaced_number, transient_name, now);
  change.batch().Move(from.entry, to.entry, SetCtime(change, now));
  const int moved_directories = CountDirectory(moved);
  TouchParents(change, from, -moved_directories, to, moved_directories - CountDirectory(replaced),
               now);
  KVFS_TRY(change.Apply(store_));
  if (replaced) inodes_.Relocate(replaced_number, {kTransientSpace, transient_name});
  inodes_.Relocate(moved.number, to.entry);
  return {};
}

Result<void> FileSystem::ExchangeEntries(const RenamePlace& from, const InodeInfo& moved,
                                         const RenamePlace& to, const InodeInfo& other) {
  const Timespec now = Now();
  AttributeBatch change(default_attributes_);
  change.batch().Move(from.entry, kExchangeKey);
  change.batch().Move(to.entry, from.entry, SetCtime(change, now));
  change.batch().Move(kExchangeKey, to.entry, SetCtime(change, now));
  const int gained = CountDirectory(moved) - CountDirectory(other);
  TouchParents(change, from, -gained, to, gained, now);
  KVFS_TRY(change.Apply(store_));
  inodes_.Relocate(moved.number, to.entry);
  inodes_.Relocate(other.number, from.entry);
  return {};
}

void FileSystem::TouchParents(AttributeBatch& change, const RenamePlace& from, int more_in_from,
                              const RenamePlace& to, int more_in_to, Timespec now) {
  if (from.parent == to.parent) {
    TouchDirectory(change, from.parent, more_in_from + more_in_to, now);
    return;
  }
  TouchDirectory(change, from.parent, more_in_from, now);
  TouchDirectory(change, to.parent, more_in_to, now);
}

}  // namespace kvfs::fs
