// After a repair: gives each directory that has lost its own entry, but not its children, a new
// name in the directory "lost+found" of the root; and corrects the number of links of all
// directories.
//
// The store must not be in use by a FileSystem.
#pragma once

#include <functional>
#include <set>
#include <string>

#include <kvfs/store.h>
#include "fs/file_system.h"

namespace kvfs::fs {

struct ReattachOptions {
  // Owner of the created directories.
  Caller owner;
  Timespec now;
  // Called with the new path of each reattached directory, from the root.
  std::function<void(const std::string& path)> on_reattached;
};

struct ReattachReport {
  uint64_t directories = 0;      // reattached under lost+found
  uint64_t corrected_links = 0;  // directories whose number of links was corrected
};

// `directories` are all directories with entries in the store. Errors are the store's.
Result<ReattachReport> ReattachLost(Store& store, const std::set<DirectoryId>& directories,
                                    const ReattachOptions& options);

}  // namespace kvfs::fs
