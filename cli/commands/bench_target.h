// The target of `kvfs bench`: a private place for numbered values, which leaves nothing behind.
#pragma once

#include <memory>
#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

class BenchTarget {
 public:
  // Removes all remaining values.
  virtual ~BenchTarget() = default;

  virtual std::string_view Kind() const = 0;  // "mount", "keys" or "library"

  virtual Result<void> Put(uint64_t number, std::string_view value) = 0;
  // Makes all puts so far survive power loss.
  virtual Result<void> Sync() = 0;
  // `value` is a buffer of the caller's.
  virtual Result<void> Get(uint64_t number, std::string& value) = 0;
  // Returns the number of values.
  virtual Result<uint64_t> List() = 0;
  virtual Result<void> Delete(uint64_t number) = 0;
};

// Files in a new directory below the mount point. Gets reach the store, not the kernel's page
// cache.
CommandResult<std::unique_ptr<BenchTarget>> BenchMount(const std::string& mount_point);
// Keys of a store, through its daemon if it is mounted.
CommandResult<std::unique_ptr<BenchTarget>> BenchKeys(const std::string& store_path);
// A new store in the directory, used by this process alone.
CommandResult<std::unique_ptr<BenchTarget>> BenchLibrary(const std::string& directory);

}  // namespace kvfs::cli
