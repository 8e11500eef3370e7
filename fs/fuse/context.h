// The context of the handlers of FUSE messages.
//
// A handler begins with ContextOf, which counts the message, and ends with exactly one reply
// (replies.h). Everything in a message is untrusted: it is passed to FileSystem, which checks it.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "fs/file_system.h"
#include "fs/fuse/clock.h"
#include "fs/fuse/control_directory.h"
#include "fs/fuse/late_invalidation.h"
#include "fs/fuse/message_counts.h"
#include "fs/fuse/mount_options.h"
#include "fs/fuse/open_suppressor.h"
#include "fs/fuse/transport.h"

namespace kvfs::fs {

struct FuseContext {
  FileSystem& file_system;
  MountOptions options;
  MessageCounts counts;
  OpenSuppressor probe;
  FuseTransport transport;
  ControlDirectory control;
  fuse_session* session = nullptr;  // null until it exists
  LateInvalidation late_invalidation = {};
};

inline FuseContext& ContextBehind(fuse_req_t request) {
  return *static_cast<FuseContext*>(fuse_req_userdata(request));
}

inline FuseContext& ContextOf(fuse_req_t request, MessageKind kind) {
  FuseContext& context = ContextBehind(request);
  context.counts.Add(kind);
  NoteKind(kind);
  return context;
}

// The caller, and the owner of what it creates.
Caller CallerOf(fuse_req_t request);
Caller CreatorOf(fuse_req_t request);

}  // namespace kvfs::fs
