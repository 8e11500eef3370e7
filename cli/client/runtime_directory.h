// Where a daemon listens whose store's directory takes no socket, as on a full disk, or on a file
// system that has none: /run/kvfs if it is root's, or else kvfs in $XDG_RUNTIME_DIR.
//
// A socket there has the store's name: device and inode of its directory. Such a directory is
// trusted if it belongs to root, to this user, or to whom the store belongs, who could as well have
// put a socket into the store; and if nobody else may write to it.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "cli/base/descriptor.h"

namespace kvfs::cli {

// Of a store with this directory.
std::string RuntimeSocketName(const struct stat& store);

// Where this process may make one, made if need be. Invalid if there is none.
Descriptor MakeRuntimeDirectory();

// Those in which a daemon of the store's owner, of root or of this user may have made one.
std::vector<Descriptor> FindRuntimeDirectories(uid_t store_owner);

}  // namespace kvfs::cli
