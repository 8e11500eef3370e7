// Accepts connections, and gives each a thread.

#include "cli/daemon/rpc_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

namespace kvfs::cli {
namespace {

// After a failure to accept a connection.
constexpr std::chrono::milliseconds kPause{100};

std::optional<fs::Caller> PeerOf(int socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  if (peer.uid != 0 && peer.uid != ::geteuid()) return std::nullopt;
  return fs::Caller{peer.uid, peer.gid, 0, static_cast<uint32_t>(peer.pid)};
}

}  // namespace

Result<std::unique_ptr<RpcServer>> RpcServer::Start(const std::string& store_path,
                                                    const Served& served) {
  KVFS_ASSIGN(Listener listener, ListenAtStore(store_path));
  return std::unique_ptr<RpcServer>(new RpcServer(served, std::move(listener)));
}

RpcServer::RpcServer(const Served& served, Listener listener)
    : served_(served), listener_(std::move(listener)) {
  taker_ = std::thread([this] { TakeConnections(); });
}

RpcServer::~RpcServer() {
  RemoveSocket(listener_);
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
    for (const Connection& connection : connections_) connection.channel.Interrupt();
  }
  ::shutdown(listener_.socket.number(), SHUT_RDWR);
  taker_.join();
  for (Connection& connection : connections_) connection.thread.join();
}

void RpcServer::TakeConnections() {
  while (true) {
    Descriptor socket(::accept4(listener_.socket.number(), nullptr, nullptr, SOCK_CLOEXEC));
    JoinEnded();
    if (socket.valid()) {
      Accept(std::move(socket));
      continue;
    }
    const MutexLock lock(mutex_);
    if (is_stopping_) return;
    // For example, no free descriptors: some will be closed.
    if (errno != EINTR && errno != ECONNABORTED) std::this_thread::sleep_for(kPause);
  }
}

void RpcServer::Accept(Descriptor socket) {
  const auto peer = PeerOf(socket.number());
  if (!peer) return;
  const MutexLock lock(mutex_);
  if (is_stopping_) return;
  ++requests_;
  Connection& connection = connections_.emplace_back(Channel(std::move(socket)));
  connection.thread = std::thread([this, &connection, peer] {
    Conversation(connection.channel, served_, *peer).Run();
    const MutexLock ended(mutex_);
    connection.channel.Interrupt();
    connection.has_ended = true;
  });
}

uint64_t RpcServer::CountRequests() {
  JoinEnded();
  const MutexLock lock(mutex_);
  if (!connections_.empty()) ++requests_;
  return requests_;
}

void RpcServer::JoinEnded() {
  const MutexLock lock(mutex_);
  for (auto at = connections_.begin(); at != connections_.end();) {
    if (!at->has_ended) {
      ++at;
      continue;
    }
    at->thread.join();
    at = connections_.erase(at);
  }
}

}  // namespace kvfs::cli
