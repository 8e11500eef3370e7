// Messages between a command and the daemon that serves its store, over a Unix socket.
//
// A message is a sequence of fields of arbitrary bytes. On the wire: the number of fields, then the
// length and bytes of each, as 32-bit little-endian numbers. cli/client/requests.h defines the
// messages; cli/client/store_socket.h connects both sides.
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

// One connection, used by one thread at a time; Interrupt may be called by any.
class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}

  // Blocks while the peer is slow. kIo if the peer is gone.
  Result<void> Send(const Message& message);
  // Waits for a message. kIo if the peer is gone; kInvalid for a malformed message.
  Result<Message> Receive();
  // From now on, calls that wait for the peer call `on_silence` whenever nothing has been
  // transferred for `silence`. If it returns an error, they and all later calls fail with that
  // error: a message may have been cut off.
  void SetPatience(std::chrono::milliseconds silence, std::function<Result<void>()> on_silence);
  // Makes waiting calls, and all later ones, fail.
  void Interrupt() const;

  int descriptor() const { return socket_.number(); }
  // Whether the peer is known to be gone.
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
  Result<void> patience_;  // the error that ended it
  std::string received_;   // not yet consumed, from here on:
  size_t received_begin_ = 0;
};

// From then on a call that has blocked for `time` on the socket returns with EAGAIN; without end
// for 0.
void LimitWaits(const Descriptor& socket, std::chrono::milliseconds time);

}  // namespace kvfs::cli
