// Where a daemon listens if the store's directory cannot hold a socket, because the disk is full,
// or the file system does not support sockets: /run/kvfs if it belongs to root, otherwise kvfs in
// $XDG_RUNTIME_DIR.
//
// A socket there is named after the store: by device and inode of the store's directory. Such a
// directory is trusted if it belongs to root, to this user, or to the store's owner, who could put
// a socket into the store anyway; and if no other user may write to it.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "cli/base/descriptor.h"

namespace kvfs::cli {

// The socket's name for a store with this directory.
std::string RuntimeSocketName(const struct stat& store);

// The directory in which this process may listen, created if needed. Invalid if there is none.
Descriptor MakeRuntimeDirectory();

// Directories in which a daemon of the store's owner, of root or of this user may listen.
std::vector<Descriptor> FindRuntimeDirectories(uid_t store_owner);

}  // namespace kvfs::cli
