// The caller of a message.
#include "fs/fuse/context.h"

namespace kvfs::fs {

Caller CallerOf(fuse_req_t request) {
  const fuse_ctx* context = fuse_req_ctx(request);
  return {context->uid, context->gid, context->umask, static_cast<uint32_t>(context->pid),
          ContextBehind(request).transport.CallerHasFsetid()};
}

Caller CreatorOf(fuse_req_t request) {
  return ContextBehind(request).options.shown.Creator(CallerOf(request));
}

}  // namespace kvfs::fs
