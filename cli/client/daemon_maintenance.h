// A store's maintenance, done by the daemon that serves it.
#pragma once

#include <utility>

#include "cli/client/daemon_connection.h"
#include "cli/client/maintenance.h"

namespace kvfs::cli {

class DaemonMaintenance final : public Maintenance {
 public:
  explicit DaemonMaintenance(DaemonConnection daemon) : daemon_(std::move(daemon)) {}

  Result<CheckReport> Check(const CheckOptions& options) override;
  Result<void> Compact() override;
  Result<StoreStats> GetStats() override;
  Result<void> Finish() override { return {}; }

 private:
  DaemonConnection daemon_;
};

}  // namespace kvfs::cli
