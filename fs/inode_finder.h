// Finds where an inode lies by its number alone, for who comes with a file handle:
// name_to_handle_at and an NFS server keep inodes beyond the kernel's memory, and beyond a mount.
//
// The store has no index from inodes to names, which every create and rename would pay for. So an
// inode that nobody refers to is looked for in all directories, as of one moment. What such a walk
// meets is kept, as hints, since who brings one handle brings many: after a restart, an NFS server
// those of all its clients. A hint is believed after a look at the place only.
//
// A walk takes as long as `find` on the mount. The hints take 24 bytes each; of a larger store than
// kMaxHints, each handle whose inode has no hint is a walk of its own.
//
// Locks: a mutex, held during a walk: one at a time. The caller's namespace lock must not be held,
// since a walk takes long.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "fs/inode_info.h"

namespace kvfs::fs {

class InodeFinder {
 public:
  static constexpr size_t kMaxHints = size_t{1} << 20;

  // Tells of the meta of an entry whether it is a directory's, and whether it is an inode's at all
  // (and not a hard link). Called from any thread.
  enum class Kind { kDirectory, kOther, kNoInode };
  using KindOf = std::function<Kind(std::string_view meta)>;

  // Below `root`. The store must outlive the finder.
  InodeFinder(const Store& store, DirectoryId root, KindOf kind_of)
      : store_(store), root_(root), kind_of_(std::move(kind_of)) {}

  // Where an inode is said to lie: in a directory, at a position that few names share.
  struct Place {
    InodeNumber inode = 0;
    DirectoryId directory = 0;
    Position position = 0;

    bool operator==(const Place&) const = default;
  };
  // By a hint, unless it is `wrong`, one that has proved so; else by a walk. Nothing if there was
  // no such inode when the call began; kCorrupt if damage may hide it.
  Result<std::optional<Place>> Find(InodeNumber inode, const std::optional<Place>& wrong);

 private:
  std::optional<Place> FindHint(InodeNumber inode) const;
  Result<std::optional<Place>> Walk(InodeNumber inode);

  const Store& store_;
  const DirectoryId root_;
  const KindOf kind_of_;
  std::mutex mutex_;          // guards the following
  std::vector<Place> hints_;  // in ascending order of the inodes
  bool has_all_ = false;      // the hints were all inodes there were
  uint64_t version_ = 0;      // when the store had this version
};

}  // namespace kvfs::fs
