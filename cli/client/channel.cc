// Bytes are sent as they come, and received in blocks, since a message has many small fields.

#include "cli/client/channel.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <kvfs/bytes.h>

namespace kvfs::cli {
namespace {

constexpr uint32_t kMaxFields = 1 << 20;
constexpr size_t kReceiveBytes = size_t{16} << 10;

void AppendNumber(std::string& out, size_t number) {
  char bytes[4];
  StoreLittle(reinterpret_cast<std::byte*>(bytes), static_cast<uint32_t>(number));
  out.append(bytes, sizeof bytes);
}

}  // namespace

Result<void> Channel::Send(const Message& message) {
  KVFS_TRY(patience_);
  std::string out;
  size_t total = 4;
  for (const std::string& field : message) total += 4 + field.size();
  if (total > kMaxMessageBytes) {
    return Fail(ErrorCode::kTooLarge, "the request is too large for the daemon");
  }
  out.reserve(total);
  AppendNumber(out, message.size());
  for (const std::string& field : message) {
    AppendNumber(out, field.size());
    out += field;
  }
  for (std::string_view rest = out; !rest.empty();) {
    const ssize_t count = ::send(socket_.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0) KVFS_TRY(AfterFailure());
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

tl::unexpected<Error> Channel::OtherSideIsGone() {
  has_ended_ = true;
  return Fail(ErrorCode::kIo, "the process at the other end has ended");
}

// Handles errno after a failed send or receive.
Result<void> Channel::AfterFailure() {
  if (errno == EINTR) return {};
  if (errno == EAGAIN && on_silence_) return patience_ = on_silence_();
  return OtherSideIsGone();
}

void Channel::SetPatience(std::chrono::milliseconds silence,
                          std::function<Result<void>()> on_silence) {
  LimitWaits(socket_, silence);
  on_silence_ = std::move(on_silence);
}

Result<void> Channel::ReadExactly(char* out, size_t length) {
  while (length > 0) {
    if (received_begin_ == received_.size() && length < kReceiveBytes) KVFS_TRY(Fill());
    const size_t buffered = std::min(received_.size() - received_begin_, length);
    if (buffered > 0) {
      std::memcpy(out, received_.data() + received_begin_, buffered);
      received_begin_ += buffered;
      out += buffered;
      length -= buffered;
      continue;
    }
    // Long fields are received in place.
    KVFS_ASSIGN(const size_t count, ReceiveSome(out, length));
    out += count;
    length -= count;
  }
  return {};
}

// Receives all available bytes in one call, since a message has many small fields.
Result<void> Channel::Fill() {
  received_.resize(kReceiveBytes);
  received_begin_ = received_.size();
  KVFS_ASSIGN(const size_t count, ReceiveSome(received_.data(), received_.size()));
  received_.resize(count);
  received_begin_ = 0;
  return {};
}

Result<size_t> Channel::ReceiveSome(char* out, size_t length) {
  while (true) {
    const ssize_t count = ::recv(socket_.number(), out, length, 0);
    if (count > 0) return static_cast<size_t>(count);
    if (count == 0) return OtherSideIsGone();
    KVFS_TRY(AfterFailure());
  }
}

Result<uint32_t> Channel::ReadNumber() {
  char bytes[4];
  KVFS_TRY(ReadExactly(bytes, sizeof bytes));
  return LoadLittle<uint32_t>(reinterpret_cast<const std::byte*>(bytes));
}

Result<Message> Channel::Receive() {
  KVFS_TRY(patience_);
  KVFS_ASSIGN(const uint32_t count, ReadNumber());
  if (count > kMaxFields) return Fail(ErrorCode::kInvalid, "a message has too many fields");
  Message message(count);
  size_t total = 0;
  for (std::string& field : message) {
    KVFS_ASSIGN(const uint32_t length, ReadNumber());
    total += length;
    if (total > kMaxMessageBytes) return Fail(ErrorCode::kInvalid, "a message is too long");
    field.resize(length);
    KVFS_TRY(ReadExactly(field.data(), length));
  }
  return message;
}

void Channel::Interrupt() const { ::shutdown(socket_.number(), SHUT_RDWR); }
void LimitWaits(const Descriptor& socket, std::chrono::milliseconds time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const timeval limit = {whole.count(), std::chrono::microseconds(time - whole).count()};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace kvfs::cli
