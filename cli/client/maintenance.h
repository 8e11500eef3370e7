// Looking after a store as a whole, whether a daemon serves it or not.
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
  // Lets go of the store. No call may follow.
  virtual Result<void> Finish() = 0;
};

enum class StoreUse { kLookOnly, kChange };

// For the command of that name. A store that is only looked at is not changed in any way.
CommandResult<std::unique_ptr<Maintenance>> OpenMaintenance(const std::string& store_path,
                                                            std::string_view command, StoreUse use);

}  // namespace kvfs::cli
