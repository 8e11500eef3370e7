// Mounts inside the mount of a store, for example a tmpfs on one of its directories.
//
// When a command changes a name, the kernel forgets the name, and silently unmounts what is mounted
// there or below. So such a change is refused with EBUSY, as by rename(2) and rmdir(2). The kernel
// considers mounts in the caller's namespace only; this considers those of the command's and of the
// daemon's namespace.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/client/keys.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

struct InnerMount {
  std::string path;         // of the key that the mount hides
  std::string mount_point;  // in the mount table

  bool operator==(const InnerMount&) const = default;
};

// Sorted by path. Includes mounts in other places where the store's mount, or a directory of it, is
// visible, also if another mount covers the store's.
std::vector<InnerMount> InnerMountsOf(const std::vector<MountEntry>& table,
                                      const std::string& mount_point);
// From this process's mount table; none if it cannot be read.
std::vector<InnerMount> InnerMountsOf(const std::string& mount_point);
// The same for the mount made by the store's daemon.
std::vector<InnerMount> InnerMountsOfStore(const std::string& store_path);

// kNotEmpty, with the mount point, if there is a mount at the path or below. `inner` must be
// sorted.
Result<void> CheckHoldsNoMount(const std::vector<InnerMount>& inner, const std::string& path);

// The same for each name that one of the changes would remove. `failed`, if not null, receives the
// index of that change.
Result<void> CheckKeepMounts(const std::vector<InnerMount>& inner,
                             std::span<const fs::PathOperation> changes, Keys& keys,
                             size_t* failed);

}  // namespace kvfs::cli
