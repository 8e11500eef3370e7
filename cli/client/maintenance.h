// Maintenance of a whole store, whether or not a daemon serves it.
#pragma once

#include <memory>
#include <string>

#include <kvfs/store.h>
#include "cli/base/command_result.h"

namespace kvfs::cli {

class Maintenance {
 public:
  virtual ~Maintenance() = default;

  // As Store::Check.
  virtual Result<CheckReport> Check(const CheckOptions& options) = 0;
  virtual Result<void> Compact() = 0;
  virtual Result<StoreStats> GetStats() = 0;
  // Releases the store. No call may follow.
  virtual Result<void> Finish() = 0;
};

enum class StoreUse { kLookOnly, kChange };

// For the command of that name. StoreUse::kLookOnly changes nothing in the store.
CommandResult<std::unique_ptr<Maintenance>> OpenMaintenance(const std::string& store_path,
                                                            std::string_view command, StoreUse use);

}  // namespace kvfs::cli
