// Messages between a command and the daemon that serves its store, over a Unix socket.
//
// A message is a row of fields, each any bytes: on the wire the number of fields, then length and
// bytes of each, as 32-bit little-endian numbers. What the messages mean: cli/client/requests.h.
//
// The socket lies in the store's directory, with mode 0600: who may open the store may speak to its
// daemon, and nobody else. Where that takes no socket it is elsewhere
// (cli/client/runtime_directory.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"

namespace kvfs::cli {

using Message = std::vector<std::string>;

// Of all fields of a message together.
inline constexpr size_t kMaxMessageBytes = size_t{512} << 20;

// One connection. Used by one thread at a time; Interrupt by any.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  // Waits while the other side is slow. kIo if it is gone.
  Result<void> Send(const Message& message);
  // Waits for a message. kIo if the other side is gone, kInvalid for what is no message.
  Result<Message> Receive();
  // From now on calls that wait for the other side call this each time that nothing has come or
  // gone for so long, and fail with its error, as do all later ones: what was under way is cut off.
  void SetPatience(std::chrono::milliseconds silence, std::function<Result<void>()> on_silence);
  // Makes calls that wait, and all later ones, fail.
  void Interrupt() const;

  int descriptor() const { return socket_.number(); }
  // Whether the other side was seen to be gone.
  bool has_ended() const { return has_ended_; }

 private:
  Result<void> ReadExactly(char* out, size_t length);
  Result<uint32_t> ReadNumber();
  Result<void> Fill();
  Result<size_t> ReceiveSome(char* out, size_t length);
  Result<void> AfterFailure();
  tl::unexpected<Error> OtherSideIsGone();

  Descriptor socket_;
  std::function<Result<void>()> on_silence_;
  bool has_ended_ = false;
  Result<void> patience_;  // the error with which it has ended
  std::string received_;   // and not taken yet, from here on:
  size_t received_begin_ = 0;
};

// Listens at the store's socket; what an earlier daemon left there is replaced. The caller holds
// the store.
struct Listener {
  Descriptor socket;
  Descriptor directory;  // in which it has its name, as it was then
  std::string name;
};
Result<Listener> ListenAtStore(const std::string& store_path);
void RemoveSocket(const Listener& listener);

// kNotFound if nobody listens there. kPermission; also where what is there is no socket of the
// store's owner's, of root's or of this user's. kIo if a moment is not enough: who listens takes
// no more connections.
Result<Channel> ConnectToStore(const std::string& store_path);

}  // namespace kvfs::cli
