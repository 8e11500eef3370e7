// Capabilities, one by one, with the reason of each.
#include "fs/fuse/negotiation.h"

namespace kvfs::fs {
namespace {

constexpr unsigned kMaxWriteBytes = 1u << 20;
constexpr unsigned kMaxReadaheadBytes = 1u << 20;
constexpr unsigned kMaxBackground = 64;

void Want(fuse_conn_info& connection, unsigned capabilities) {
  connection.want |= capabilities & connection.capable;
}

void DoWithout(fuse_conn_info& connection, unsigned capabilities) {
  connection.want &= ~capabilities;
}

}  // namespace

void Negotiate(void* userdata, fuse_conn_info* connection) {
  auto& context = *static_cast<FuseContext*>(userdata);
  // O_TRUNC must come as a SETATTR, because there are no OPENs that could bring it.
  DoWithout(*connection, FUSE_CAP_ATOMIC_O_TRUNC);
  // A write is acknowledged when the store has it, not when the kernel has.
  DoWithout(*connection, FUSE_CAP_WRITEBACK_CACHE);
  if (context.choices.writeback) Want(*connection, FUSE_CAP_WRITEBACK_CACHE);
  // The umask is for the file system to apply, because a default list comes in its place.
  if (context.choices.access_lists) {
    Want(*connection, FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK);
  }
  // Nothing changes a file but the kernel's own messages.
  DoWithout(*connection, FUSE_CAP_AUTO_INVAL_DATA);
  Want(*connection, FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS);
  // File handles outlive the kernel's memory, and the mount.
  Want(*connection, FUSE_CAP_EXPORT_SUPPORT);
  // Attributes come with the first names of a listing, and with later ones while the lister asks
  // for them: whoever lists names alone does not have the kernel, and so kvfs, remember all of
  // them.
  Want(*connection, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
  // Who writes takes setuid bits and file capabilities away. With the second version of the
  // capability the kernel tells whose writes do, and looks for capabilities once for many writes.
  DoWithout(*connection, FUSE_CAP_HANDLE_KILLPRIV);
  context.transport.WantKillpriv();
  // Small messages are copied faster than spliced.
  DoWithout(*connection, FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection->max_write = kMaxWriteBytes;
  connection->max_readahead = kMaxReadaheadBytes;
  connection->max_background = kMaxBackground;
  connection->time_gran = 1;
}

}  // namespace kvfs::fs
