// What the handlers of FUSE messages work with, and how they begin.
//
// A handler begins with ContextOf, which counts the message, and ends with exactly one reply.
// Everything in a message comes from outside: it goes to FileSystem unchecked, which checks it.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "fs/file_system.h"
#include "fs/fuse/clock.h"
#include "fs/fuse/control_directory.h"
#include "fs/fuse/late_invalidation.h"
#include "fs/fuse/message_counts.h"
#include "fs/fuse/open_suppressor.h"
#include "fs/fuse/shown_owner.h"
#include "fs/fuse/transport.h"

namespace kvfs::fs {

// What the kernel is offered beyond the usual: see MountOptions.
struct FuseChoices {
  bool extended_attributes = false;
  bool access_lists = false;
  bool writeback = false;
};

struct FuseContext {
  FileSystem& file_system;
  FuseChoices choices;
  MessageCounts counts;
  OpenSuppressor probe;
  FuseTransport transport;
  ControlDirectory control;
  ShownOwner shown = {};
  fuse_session* session = nullptr;  // once there is one
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

// Who calls, and on whose behalf that makes something new.
Caller CallerOf(fuse_req_t request);
Caller CreatorOf(fuse_req_t request);

}  // namespace kvfs::fs
