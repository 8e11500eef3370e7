// What `kvfs bench` measures on: a place of its own in which values lie, by number, and of which
// nothing is left behind.
#pragma once

#include <memory>
#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

class BenchTarget {
 public:
  // Takes away all that is there still.
  virtual ~BenchTarget() = default;

  virtual std::string_view Kind() const = 0;  // "mount", "keys" or "library"

  virtual Result<void> Put(uint64_t number, std::string_view value) = 0;
  // Makes all puts so far survive the loss of power.
  virtual Result<void> Sync() = 0;
  // `value` is the caller's memory.
  virtual Result<void> Get(uint64_t number, std::string& value) = 0;
  // Returns how many values there are.
  virtual Result<uint64_t> List() = 0;
  virtual Result<void> Delete(uint64_t number) = 0;
};

// Files in a directory of its own below the mount point. Gets are answered by the store, not from
// pages that the kernel keeps.
CommandResult<std::unique_ptr<BenchTarget>> BenchMount(const std::string& mount_point);
// Keys of a store, through its daemon if it is mounted.
CommandResult<std::unique_ptr<BenchTarget>> BenchKeys(const std::string& store_path);
// A new store in the directory, used by this process alone.
CommandResult<std::unique_ptr<BenchTarget>> BenchLibrary(const std::string& directory);

}  // namespace kvfs::cli
