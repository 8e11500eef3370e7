// A store accessed through the daemon that serves it.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "cli/client/channel.h"
#include "cli/client/daemon_process.h"
#include "cli/client/inner_mounts.h"
#include "cli/client/keys.h"
#include "cli/client/maintenance.h"

namespace kvfs::cli {

// A connection after the exchange of `hello`.
class DaemonConnection {
 public:
  // kNotFound if no daemon listens; kPermission; kUnsupported if its version differs; kIo if it
  // does not answer: until it does, `waits_on` is called several times a second, and returns
  // whether to keep waiting. Later requests have the usual limit (cli/base/waiting.h) only if the
  // daemon stops answering even a `hello` on a new connection, not while it works.
  static Result<DaemonConnection> Open(const std::string& store_path,
                                       const std::function<bool()>& waits_on);
  // The same with the usual limit, and a message to the user if it takes long.
  static Result<DaemonConnection> Open(const std::string& store_path);

  // Sends a request, and returns the fields after `ok`.
  Result<Message> Ask(const Message& message, size_t* failed = nullptr);
  // Sends a request, and passes all messages before `ok` to `take`, until that fails.
  Result<Message> AskMany(const Message& message,
                          const std::function<Result<void>(const Message&)>& take);
  Result<void> Send(const Message& message) { return channel_.Send(message); }
  // Whether the daemon closed the connection and then the store, so that everything it acknowledged
  // is durable. Waits until that is known, up to the limit.
  bool HasEndedWell() const;
  // Mounts inside the daemon's mount, as far as this process sees mounts.
  std::vector<InnerMount> inner_mounts() const;
  // Whether the daemon is known to have ended, or to have closed the connection.
  bool has_ended() const { return channel_.has_ended(); }
  // Completes a request whose parts have been sent.
  Result<Message> AwaitOk(size_t* failed = nullptr);

 private:
  DaemonConnection(Channel channel, std::optional<DaemonProcess> daemon)
      : channel_(std::move(channel)), daemon_(std::move(daemon)) {}

  Channel channel_;
  std::optional<DaemonProcess> daemon_;
  bool is_gone_ = false;
};

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
