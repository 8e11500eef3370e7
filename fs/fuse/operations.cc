// The table of handlers. It also suppresses messages: after the reply ENOSYS the kernel does not
// send a message again.
#include "fs/fuse/operations.h"

#include <cerrno>

#include "fs/fuse/negotiation.h"

namespace kvfs::fs {
namespace {

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

fuse_lowlevel_ops MakeFuseOperations(const MountOptions& options) {
  fuse_lowlevel_ops operations = {};
  operations.init = Negotiate;
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
  if (options.extended_attributes) {
    AddXattrOperations(operations);
  } else {
    RefuseXattrs(operations);
  }
  return operations;
}

}  // namespace kvfs::fs
