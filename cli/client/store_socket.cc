// Sockets are addressed through a descriptor of their directory: a path may be too long for a
// socket address, and may be replaced meanwhile.

#include "cli/client/store_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "cli/base/paths.h"
#include "cli/client/runtime_directory.h"
#include "cli/mounts/lock_file.h"

namespace kvfs::cli {
namespace {

using std::chrono::milliseconds;

constexpr const char* kSocketName = "socket";
constexpr int kBacklog = 64;
constexpr milliseconds kMoment{250};
constexpr milliseconds kForever{0};

tl::unexpected<Error> FailWithErrno(std::string_view doing) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("cannot {}: {}", doing, error.message);
  return tl::unexpected(std::move(error));
}

using Address = sockaddr_un;

Address AddressOf(const std::string& path) {
  Address address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
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
