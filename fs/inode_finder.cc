// A walk lists all directories of a snapshot, one after another; it reads only names and
// attributes.
#include "fs/inode_finder.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace kvfs::fs {

Result<std::optional<InodeFinder::Place>> InodeFinder::Find(InodeNumber inode,
                                                            const std::optional<Place>& wrong) {
  const MutexLock lock(mutex_);
  const auto hint = FindHint(inode);
  if (hint && hint != wrong) return hint;
  const bool is_current = has_all_ && version_ == store_.GetStats().acknowledged_sequence;
  if (is_current) return hint;
  return Walk(inode);
}

std::optional<InodeFinder::Place> InodeFinder::FindHint(InodeNumber inode) const {
  const auto at = std::ranges::lower_bound(hints_, inode, {}, &Place::inode);
  if (at == hints_.end() || at->inode != inode) return std::nullopt;
  return *at;
}

Result<std::optional<InodeFinder::Place>> InodeFinder::Walk(InodeNumber inode) {
  hints_.clear();
  has_all_ = true;
  KVFS_ASSIGN(const std::unique_ptr<Snapshot> snapshot, store_.TakeSnapshot());
  version_ = snapshot->version();
  std::optional<Place> found;
  std::optional<Error> damage;
  std::vector<DirectoryId> directories = {root_};
  while (!directories.empty()) {
    const DirectoryId directory = directories.back();
    directories.pop_back();
    const auto listed = snapshot->List(directory, kFirstPosition,
                                       [&](const ListedEntry& entry) KVFS_REQUIRES_LOCK(mutex_) {
                                         const Kind kind = kind_of_(entry.meta);
                                         if (kind == Kind::kNoInode) return true;
                                         if (kind == Kind::kDirectory)
                                           directories.push_back(entry.id);
                                         const Place place = {entry.id, directory, entry.position};
                                         if (entry.id == inode) found = place;
                                         if (hints_.size() < kMaxHints) hints_.push_back(place);
                                         has_all_ = has_all_ && hints_.size() < kMaxHints;
                                         return true;
                                       });
    if (!listed && listed.error().code != ErrorCode::kCorrupt)
      return tl::unexpected(listed.error());
    if (!listed) damage = listed.error();
  }
  has_all_ = has_all_ && !damage;
  std::ranges::sort(hints_, {}, &Place::inode);
  // Behind damage an inode is not known to be gone; inodes found elsewhere are unaffected.
  if (!found && damage) return tl::unexpected(*damage);
  return found;
}

}  // namespace kvfs::fs
