// A path that is too long for a socket's address is reached through its directory's descriptor.

#include "cli/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/paths.h"
#include "store/bytes.h"

namespace kvfs::cli {
namespace {

constexpr std::string_view kSocketName = "socket";
constexpr uint32_t kMaxFields = 1 << 20;
constexpr int kBacklog = 64;
constexpr size_t kReceiveBytes = size_t{16} << 10;

tl::unexpected<Error> FailWithErrno(std::string_view doing) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("cannot {}: {}", doing, error.message);
  return tl::unexpected(std::move(error));
}

tl::unexpected<Error> OtherSideIsGone() {
  return Fail(ErrorCode::kIo, "the process at the other end has ended");
}

void AppendNumber(std::string& out, size_t number) {
  char bytes[4];
  StoreLittle(reinterpret_cast<std::byte*>(bytes), static_cast<uint32_t>(number));
  out.append(bytes, sizeof bytes);
}

struct Address {
  Descriptor directory;
  sockaddr_un name{};

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Result<Address> AddressIn(const std::string& store_path) {
  Address address;
  address.directory = Descriptor(::open(store_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!address.directory.valid()) return FailWithErrno("open the store's directory");
  const std::string path =
      fmt::format("/proc/self/fd/{}/{}", address.directory.number(), kSocketName);
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return address;
}

constexpr timeval kStep = {1, 0};
constexpr timeval kForever = {0, 0};

// After that a call on the socket returns, with EAGAIN.
void LimitWaits(const Descriptor& socket, const timeval& limit) {
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Descriptor NewSocket() { return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

Result<void> Channel::Send(const Message& message) {
  std::string out;
  size_t total = 4;
  for (const std::string& field : message) total += 4 + field.size();
  if (total > kMaxMessageBytes) {
    return Fail(ErrorCode::kTooLarge, "this is more than a daemon takes at once");
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

// What to do when errno tells that nothing could be sent or received.
Result<void> Channel::AfterFailure() {
  if (errno == EINTR) return {};
  if (errno == EAGAIN && on_silence_) return on_silence_();
  return OtherSideIsGone();
}

void Channel::SetPatience(std::function<Result<void>()> on_silence) {
  LimitWaits(socket_, kStep);
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
    // What is long goes where it belongs.
    KVFS_ASSIGN(const size_t count, ReceiveSome(out, length));
    out += count;
    length -= count;
  }
  return {};
}

// As much as has come, in one call: a message is many small fields.
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

Result<Descriptor> ListenAtStore(const std::string& store_path) {
  RemoveSocket(store_path);
  KVFS_ASSIGN(const Address address, AddressIn(store_path));
  Descriptor socket = NewSocket();
  // On Linux the mode of an unbound socket is that of the name it gets.
  if (!socket.valid() || ::fchmod(socket.number(), 0600) != 0 ||
      ::bind(socket.number(), address.get(), sizeof address.name) != 0 ||
      ::listen(socket.number(), kBacklog) != 0) {
    return FailWithErrno("listen for commands in the store's directory");
  }
  return socket;
}

void RemoveSocket(const std::string& store_path) {
  ::unlink(fmt::format("{}/{}", store_path, kSocketName).c_str());
}

Result<Channel> ConnectToStore(const std::string& store_path) {
  KVFS_ASSIGN(const Address address, AddressIn(store_path));
  Descriptor socket = NewSocket();
  if (!socket.valid()) return FailWithErrno("make a socket");
  LimitWaits(socket, kStep);
  if (::connect(socket.number(), address.get(), sizeof address.name) != 0) {
    if (errno == ECONNREFUSED) errno = ENOENT;
    if (errno == EAGAIN) return Fail(ErrorCode::kIo, "its daemon does not answer");
    return FailWithErrno("speak to the daemon");
  }
  LimitWaits(socket, kForever);
  return Channel(std::move(socket));
}

}  // namespace kvfs::cli
