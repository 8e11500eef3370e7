// A command's connection to the daemon that serves a store: the client's side of
// cli/client/requests.h. cli/client/daemon_keys.h and daemon_maintenance.h make requests with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client/channel.h"
#include "cli/client/daemon_process.h"
#include "cli/client/inner_mounts.h"

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

// A request: its verb, and up to one field.
Message Request(std::string_view verb);
Message Request(std::string_view verb, std::string field);

// The error for a reply that the protocol does not allow.
tl::unexpected<Error> MalformedReply();

}  // namespace kvfs::cli
