// The keys of a store, accessed through the daemon that serves it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/client/daemon_connection.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

class DaemonKeys final : public Keys {
 public:
  explicit DaemonKeys(DaemonConnection daemon) : daemon_(std::move(daemon)) {}

  Result<fs::InodeInfo> Stat(const std::string& path) override;
  Result<void> List(const std::string& path, const KeyVisitor& visit) override;
  Result<uint64_t> GetData(const std::string& path, const DataSink& sink) override;
  Result<std::vector<fs::ByteRange>> GetDataRanges(const std::string& path) override;
  Result<fs::XattrMap> GetXattrs(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<void> Apply(const std::vector<fs::PathOperation>& changes, size_t* failed) override;
  Result<void> ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                const fs::ContentSource& content, size_t* failed) override;
  Result<void> Freeze() override;
  Result<void> Sync() override;
  Result<void> Finish() override;
  bool HasLostDaemon() const override { return daemon_.has_ended(); }

 private:
  DaemonConnection daemon_;
};

}  // namespace kvfs::cli
