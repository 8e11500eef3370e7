// Each feature, with the reason for it.
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
  // O_TRUNC must arrive as a SETATTR, because there are no OPENs to carry it.
  DoWithout(*connection, FUSE_CAP_ATOMIC_O_TRUNC);
  // A write is acknowledged once the store has it, not once the kernel has it.
  DoWithout(*connection, FUSE_CAP_WRITEBACK_CACHE);
  if (context.options.writeback) Want(*connection, FUSE_CAP_WRITEBACK_CACHE);
  // The file system must apply the umask, because a default list overrides it.
  if (context.options.access_lists) {
    Want(*connection, FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK);
  }
  // Files change only through the kernel's own messages.
  DoWithout(*connection, FUSE_CAP_AUTO_INVAL_DATA);
  Want(*connection, FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_CACHE_SYMLINKS);
  // File handles outlive the kernel's caches, and the mount.
  Want(*connection, FUSE_CAP_EXPORT_SUPPORT);
  // Attributes come with the first names of a listing, and with later ones while the program
  // requests them: so a listing of names alone does not make the kernel, and so kvfs, cache every
  // inode.
  Want(*connection, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS);
  // Writes clear setuid bits and file capabilities. With version 2 of this feature the kernel tells
  // which writes do, and checks capabilities once for many writes.
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
