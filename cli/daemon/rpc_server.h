// The daemon's side of cli/client/requests.h: carries out commands' requests on the mounted store.
//
// One thread accepts connections, and each connection has its own thread. Only the daemon's user,
// and root, are served.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <thread>

#include "cli/client/channel.h"
#include "cli/client/store_socket.h"
#include "cli/daemon/conversation.h"
#include "store/base/mutex.h"

namespace kvfs::cli {

class RpcServer {
 public:
  // Listens at the store's socket from now on. What `served` refers to must outlive the server.
  static Result<std::unique_ptr<RpcServer>> Start(const std::string& store_path,
                                                  const Served& served);
  // Closes all connections, waits for their requests to end, and removes the socket.
  ~RpcServer();

  // Grows with each connection, and with each call while one is open.
  uint64_t CountRequests();

  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

 private:
  struct Connection {
    explicit Connection(Channel accepted) : channel(std::move(accepted)) {}

    Channel channel;
    std::thread thread;
    bool has_ended = false;  // guarded by mutex_, which this type cannot name
  };

  RpcServer(const Served& served, Listener listener);
  void TakeConnections();
  void Accept(Descriptor socket);
  void JoinEnded();

  const Served served_;
  Listener listener_;
  Mutex mutex_;
  std::list<Connection> connections_ KVFS_GUARDED_BY(mutex_);
  bool is_stopping_ KVFS_GUARDED_BY(mutex_) = false;
  uint64_t requests_ KVFS_GUARDED_BY(mutex_) = 0;
  std::thread taker_;
};

}  // namespace kvfs::cli
