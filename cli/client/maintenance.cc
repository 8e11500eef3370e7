// Works on a store in this process, or through its daemon.

#include "cli/client/maintenance.h"

#include "cli/client/daemon_maintenance.h"
#include "cli/client/store_access.h"

namespace kvfs::cli {
namespace {

class StoreMaintenance final : public Maintenance {
 public:
  explicit StoreMaintenance(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  Result<CheckReport> Check(const CheckOptions& options) override { return store_->Check(options); }
  Result<void> Compact() override { return store_->Compact(); }
  Result<StoreStats> GetStats() override { return store_->GetStats(); }
  Result<void> Finish() override { return store_->Close(); }

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace

CommandResult<std::unique_ptr<Maintenance>> OpenMaintenance(const std::string& store_path,
                                                            std::string_view command,
                                                            StoreUse use) {
  OpenOptions options;
  options.purpose = CommandPurpose(command);
  options.read_only = use == StoreUse::kLookOnly;
  KVFS_ASSIGN(auto reached, ReachStore(store_path, options));
  if (reached.store) return std::make_unique<StoreMaintenance>(std::move(reached.store));
  return std::make_unique<DaemonMaintenance>(*std::move(reached.daemon));
}

}  // namespace kvfs::cli
