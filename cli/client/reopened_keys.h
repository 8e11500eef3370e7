// Keys of a store that is opened when they are used, and let go of while there is nothing to do:
// for an import, whose source may take its time.
#pragma once

#include <memory>
#include <string>

#include "cli/client/keys.h"

namespace kvfs::cli {

class ReopenedKeys final : public Keys {
 public:
  // The store's path is resolved.
  ReopenedKeys(std::string store_path, std::string command);

  // Makes what was done durable, and lets go of the store until the next call. Not where a call is
  // under way. An error shows at the next call.
  void LetGo();
  // Why the store could not be opened the last time, in words.
  const std::optional<CommandError>& failure() const { return failure_; }

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
  bool HasLostDaemon() const override { return has_lost_daemon_; }

 private:
  template <typename Call>
  auto With(const Call& call) -> decltype(call(std::declval<Keys&>()));

  const std::string store_path_;
  const std::string command_;
  std::unique_ptr<Keys> keys_;  // none while the store is let go
  bool is_in_use_ = false;
  bool has_lost_daemon_ = false;  // by one of the keys that were let go
  Result<void> finished_;         // what the last letting go has given
  std::optional<CommandError> failure_;
};

}  // namespace kvfs::cli
