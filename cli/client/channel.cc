// Sockets are addressed through a descriptor of their directory: a path may be too long for a
// socket address, and may be replaced meanwhile.

#include "cli/client/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <kvfs/bytes.h>
#include "cli/base/paths.h"
#include "cli/client/runtime_directory.h"
#include "cli/mounts/lock_file.h"

namespace kvfs::cli {
namespace {

constexpr const char* kSocketName = "socket";
constexpr uint32_t kMaxFields = 1 << 20;
constexpr int kBacklog = 64;
constexpr size_t kReceiveBytes = size_t{16} << 10;

tl::unexpected<Error> FailWithErrno(std::string_view doing) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("cannot {}: {}", doing, error.message);
  return tl::unexpected(std::move(error));
}

void AppendNumber(std::string& out, size_t number) {
  char bytes[4];
  StoreLittle(reinterpret_cast<std::byte*>(bytes), static_cast<uint32_t>(number));
  out.append(bytes, sizeof bytes);
}

using Address = sockaddr_un;

Address AddressOf(const std::string& path) {
  Address address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

using std::chrono::milliseconds;

constexpr milliseconds kMoment{250};
constexpr milliseconds kForever{0};

// From then on a call that has blocked for `time` on the socket returns with EAGAIN.
void LimitWaits(const Descriptor& socket, milliseconds time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const timeval limit = {whole.count(), std::chrono::microseconds(time - whole).count()};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

const sockaddr* Pointer(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<Descriptor> OpenStoreDirectory(const std::string& store_path) {
  Descriptor directory(::open(store_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FailWithErrno("open the store's directory");
  return directory;
}

Result<struct stat> StatusOf(const Descriptor& file) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return FailWithErrno("talk to the daemon");
  return status;
}

// Opens the socket itself, not the target of a link in its place: root's commands must not connect
// to a process of another user's choice.
Result<Descriptor> FindSocket(const Descriptor& directory, const std::string& name,
                              const struct stat& store) {
  Descriptor found(::openat(directory.number(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!found.valid()) return FailWithErrno("talk to the daemon");
  KVFS_ASSIGN(const struct stat socket, StatusOf(found));
  const bool is_trusted =
      socket.st_uid == store.st_uid || socket.st_uid == 0 || socket.st_uid == ::geteuid();
  if (S_ISSOCK(socket.st_mode) && socket.st_nlink == 1 && is_trusted) return found;
  return Fail(ErrorCode::kPermission, "the store's socket does not belong to its daemon");
}

Descriptor NewSocket() { return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

Result<Listener> ListenIn(Descriptor directory, std::string name) {
  Listener listener{NewSocket(), std::move(directory), std::move(name)};
  RemoveSocket(listener);
  // An existing name is not bound to, and a link is not followed.
  const Address address =
      AddressOf(fmt::format("/proc/self/fd/{}/{}", listener.directory.number(), listener.name));
  const int socket = listener.socket.number();
  // On Linux the mode of an unbound socket becomes the mode of its name.
  if (!listener.socket.valid() || ::fchmod(socket, 0600) != 0 ||
      ::bind(socket, Pointer(address), sizeof address) != 0 || ::listen(socket, kBacklog) != 0) {
    return FailWithErrno("listen for commands in the store's directory");
  }
  return listener;
}

Result<Channel> Connect(const Descriptor& directory, const std::string& name,
                        const struct stat& store) {
  KVFS_ASSIGN(const Descriptor found, FindSocket(directory, name, store));
  const Address address = AddressOf(fmt::format("/proc/self/fd/{}", found.number()));
  Descriptor socket = NewSocket();
  if (!socket.valid()) return FailWithErrno("make a socket");
  LimitWaits(socket, kMoment);
  if (::connect(socket.number(), Pointer(address), sizeof address) != 0) {
    if (errno == ECONNREFUSED) errno = ENOENT;
    if (errno == EAGAIN) return Fail(ErrorCode::kIo, "its daemon does not answer");
    return FailWithErrno("talk to the daemon");
  }
  LimitWaits(socket, kForever);
  return Channel(std::move(socket));
}

// Whether the listening process has the store open: the name may be left over from a detached disk,
// whose device number another disk has now.
bool IsOfHolder(const Channel& channel, const std::string& store_path) {
  ucred listening{};
  socklen_t length = sizeof listening;
  const auto holder = ReadHolder(store_path);
  return holder &&
         ::getsockopt(channel.descriptor(), SOL_SOCKET, SO_PEERCRED, &listening, &length) == 0 &&
         listening.pid == holder->pid;
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

void Channel::SetPatience(milliseconds silence, std::function<Result<void>()> on_silence) {
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

Result<Listener> ListenAtStore(const std::string& store_path) {
  KVFS_ASSIGN(Descriptor directory, OpenStoreDirectory(store_path));
  KVFS_ASSIGN(const struct stat store, StatusOf(directory));
  auto listener = ListenIn(std::move(directory), kSocketName);
  if (listener) return listener;
  Descriptor elsewhere = MakeRuntimeDirectory();
  if (!elsewhere.valid()) return listener;
  auto other = ListenIn(std::move(elsewhere), RuntimeSocketName(store));
  return other ? std::move(other) : std::move(listener);
}

void RemoveSocket(const Listener& listener) {
  ::unlinkat(listener.directory.number(), listener.name.c_str(), 0);
}

Result<Channel> ConnectToStore(const std::string& store_path) {
  KVFS_ASSIGN(const Descriptor directory, OpenStoreDirectory(store_path));
  KVFS_ASSIGN(const struct stat store, StatusOf(directory));
  auto channel = Connect(directory, kSocketName, store);
  if (channel || channel.error().code != ErrorCode::kNotFound) return channel;
  for (const Descriptor& elsewhere : FindRuntimeDirectories(store.st_uid)) {
    auto other = Connect(elsewhere, RuntimeSocketName(store), store);
    if (other && IsOfHolder(*other, store_path)) return other;
  }
  return channel;
}

}  // namespace kvfs::cli
