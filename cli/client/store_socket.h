// The socket at which a store's daemon listens, and how commands find it.
//
// The socket is in the store's directory, with mode 0600: exactly the users who may open the store
// may talk to its daemon. If that directory cannot hold a socket, it is elsewhere
// (cli/client/runtime_directory.h).
#pragma once

#include <string>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"
#include "cli/client/channel.h"

namespace kvfs::cli {

// Listens at the store's socket, and replaces one left by an earlier daemon. The caller must hold
// the store.
struct Listener {
  Descriptor socket;
  Descriptor directory;  // which contains the socket, opened when it was created
  std::string name;
};

Result<Listener> ListenAtStore(const std::string& store_path);
void RemoveSocket(const Listener& listener);

// kNotFound if no process listens there. kPermission also if the name is not a socket of the
// store's owner, root or this user. kIo if the listener accepts no connection within a short time.
Result<Channel> ConnectToStore(const std::string& store_path);

}  // namespace kvfs::cli
