// What is mounted inside the mount of a store, as a tmpfs on one of its directories.
//
// A command's change of a name has the kernel forget the name, and what is mounted there, or below,
// goes with it, without a word. So such a change is refused, as rename(2) and rmdir(2) refuse it
// (EBUSY). The kernel looks at mounts of the caller's namespace only; here those of the command's
// and of the daemon's count.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/client/keys.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {

struct InnerMount {
  std::string path;         // of the key that it hides
  std::string mount_point;  // where that is to be seen

  bool operator==(const InnerMount&) const = default;
};

// Sorted by path. Also what is mounted where the mount, or a directory of it, is to be seen a
// second time; and also if something else covers the mount.
std::vector<InnerMount> InnerMountsOf(const std::vector<MountEntry>& table,
                                      const std::string& mount_point);
// By the table of this process; none if it cannot be read.
std::vector<InnerMount> InnerMountsOf(const std::string& mount_point);
// Of the mount that the store's daemon has made.
std::vector<InnerMount> InnerMountsOfStore(const std::string& store_path);

// kNotEmpty, with the mount's place, if one of them, which are sorted, lies at the path or below.
Result<void> CheckHoldsNoMount(const std::vector<InnerMount>& inner, const std::string& path);

// The same for each name that one of the changes would take away. `failed`, if given, gets the
// number of that change.
Result<void> CheckKeepMounts(const std::vector<InnerMount>& inner,
                             std::span<const fs::PathOperation> changes, Keys& keys,
                             size_t* failed);

}  // namespace kvfs::cli
