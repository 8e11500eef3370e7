// Keys of a store that is opened on use, and released while idle: for an import with a slow source.
#pragma once

#include <memory>
#include <string>

#include "cli/client/keys.h"

namespace kvfs::cli {

class ReopenedKeys final : public Keys {
 public:
  // The store's path must be resolved.
  ReopenedKeys(std::string store_path, std::string command);

  // Makes changes durable, and releases the store until the next call, which reports any error of
  // this one. Not to be called during another call.
  void LetGo();
  // Why the store could not be opened the last time; for people.
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
  std::unique_ptr<Keys> keys_;  // none while the store is released
  bool is_in_use_ = false;
  bool has_lost_daemon_ = false;  // of keys released since
  Result<void> finished_;         // the result of the last release
  std::optional<CommandError> failure_;
};

}  // namespace kvfs::cli
