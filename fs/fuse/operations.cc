// Negotiates features with the kernel at the start, and suppresses messages: after the reply ENOSYS
// the kernel does not send a message again.
#include "fs/fuse/operations.h"

#include <cerrno>

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

void HandleInit(void* userdata, fuse_conn_info* connection) {
  auto& context = *static_cast<FuseContext*>(userdata);
  // O_TRUNC must arrive as a SETATTR, because there are no OPENs to carry it.
  DoWithout(*connection, FUSE_CAP_ATOMIC_O_TRUNC);
  // A write is acknowledged once the store has it, not once the kernel has it.
  DoWithout(*connection, FUSE_CAP_WRITEBACK_CACHE);
  if (context.choices.writeback) Want(*connection, FUSE_CAP_WRITEBACK_CACHE);
  // The file system must apply the umask, because a default list overrides it.
  if (context.choices.access_lists) {
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

template <MessageKind kKind, typename... Arguments>
void RefuseForever(fuse_req_t request, Arguments...) {
  ContextOf(request, kKind);
  fuse_reply_err(request, ENOSYS);
}

// Sent only for files opened before the kernel had learned that OPEN is not supported.
template <MessageKind kKind>
void HandleRelease(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  ContextOf(request, kKind);
  fuse_reply_err(request, 0);
}

void RefuseXattrs(fuse_lowlevel_ops& operations) {
  operations.setxattr = RefuseForever<MessageKind::kSetxattr>;
  operations.getxattr = RefuseForever<MessageKind::kGetxattr>;
  operations.listxattr = RefuseForever<MessageKind::kListxattr>;
  operations.removexattr = RefuseForever<MessageKind::kRemovexattr>;
}

}  // namespace

fuse_lowlevel_ops MakeFuseOperations(const FuseChoices& choices) {
  fuse_lowlevel_ops operations = {};
  operations.init = HandleInit;
  operations.open = RefuseForever<MessageKind::kOpen>;
  operations.release = HandleRelease<MessageKind::kRelease>;
  operations.flush = RefuseForever<MessageKind::kFlush>;
  operations.opendir = RefuseForever<MessageKind::kOpendir>;
  operations.releasedir = HandleRelease<MessageKind::kReleasedir>;
  AddNameOperations(operations);
  AddAttributeOperations(operations);
  AddContentOperations(operations);
  AddSpaceOperations(operations);
  AddDirectoryOperations(operations);
  if (choices.extended_attributes) {
    AddXattrOperations(operations);
  } else {
    RefuseXattrs(operations);
  }
  return operations;
}

}  // namespace kvfs::fs
