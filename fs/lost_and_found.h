// After a repair: directories whose own entry is lost, while what lay in them is not, get a name
// again, below a directory "lost+found" of the root; and all directories the right number of links.
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
  // Owner of what is made.
  Caller owner;
  Timespec now;
  // Where a directory was put, as a path from the root.
  std::function<void(const std::string& path)> on_reattached;
};

struct ReattachReport {
  uint64_t directories = 0;      // that were put under lost+found
  uint64_t corrected_links = 0;  // directories whose number of links was wrong
};

// `directories` are all that have entries in the store. Errors are the store's.
Result<ReattachReport> ReattachLost(Store& store, const std::set<DirectoryId>& directories,
                                    const ReattachOptions& options);

}  // namespace kvfs::fs
