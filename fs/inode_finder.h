// Finds an inode by its number alone, for file handles: users of name_to_handle_at, such as an NFS
// server, keep inodes beyond the kernel's memory, and beyond a mount.
//
// The store has no index from inodes to names, which every create and rename would have to
// maintain. So an unreferenced inode is searched for in all directories, in a snapshot. The walk
// keeps the inodes that it passes as hints, since handles rarely come alone: after a restart, an
// NFS server gets those of all its clients. A hint is used only after verifying the place.
//
// A walk takes as long as `find` on the mount. A hint takes 24 bytes; in a store with more than
// kMaxHints inodes, each handle without a hint costs a walk.
//
// Locks: a mutex, held during a walk, so that walks run one at a time. The caller must not hold its
// namespace lock, since a walk takes long.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "fs/inode_info.h"
#include "store/base/mutex.h"

namespace kvfs::fs {

class InodeFinder {
 public:
  static constexpr size_t kMaxHints = size_t{1} << 20;

  // Classifies an entry by its meta: a directory, another inode, or no inode (a hard link). Called
  // from any thread.
  enum class Kind { kDirectory, kOther, kNoInode };
  using KindOf = std::function<Kind(std::string_view meta)>;

  // Searches below `root`. The store must outlive the finder.
  InodeFinder(const Store& store, DirectoryId root, KindOf kind_of)
      : store_(store), root_(root), kind_of_(std::move(kind_of)) {}

  // The supposed place of an inode: a directory, and a position that few names share.
  struct Place {
    InodeNumber inode = 0;
    DirectoryId directory = 0;
    Position position = 0;

    bool operator==(const Place&) const = default;
  };
  // Finds the inode by a hint, unless that is `wrong`, a hint already found to be wrong; otherwise
  // by a walk. Nothing if there was no such inode when the call began; kCorrupt if damage may hide
  // it.
  Result<std::optional<Place>> Find(InodeNumber inode, const std::optional<Place>& wrong);

 private:
  std::optional<Place> FindHint(InodeNumber inode) const KVFS_REQUIRES_LOCK(mutex_);
  Result<std::optional<Place>> Walk(InodeNumber inode) KVFS_REQUIRES_LOCK(mutex_);

  const Store& store_;
  const DirectoryId root_;
  const KindOf kind_of_;
  Mutex mutex_;
  std::vector<Place> hints_ KVFS_GUARDED_BY(mutex_);  // ascending by inode
  bool has_all_ KVFS_GUARDED_BY(mutex_) = false;      // the hints covered all inodes
  uint64_t version_ KVFS_GUARDED_BY(mutex_) = 0;      // when the store had this version
};

}  // namespace kvfs::fs
