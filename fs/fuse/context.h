// The context of the handlers of FUSE messages, and how they begin and end.
//
// A handler begins with ContextOf, which counts the message, and ends with exactly one reply.
// Everything in a message is untrusted: it is passed to FileSystem, which checks it.
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "fs/file_system.h"
#include "fs/fuse/clock.h"
#include "fs/fuse/control_directory.h"
#include "fs/fuse/late_invalidation.h"
#include "fs/fuse/messages.h"
#include "fs/fuse/open_suppressor.h"
#include "fs/fuse/shown_owner.h"
#include "fs/fuse/transport.h"

namespace kvfs::fs {

// How long the kernel may cache names, absent names and attributes: ten years.
inline constexpr double kForeverSeconds = 315'360'000;

// Optional features offered to the kernel: see MountOptions.
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
  fuse_session* session = nullptr;  // null until it exists
  LateInvalidation late_invalidation = {};
};

// Invalidates the kernel's cached attributes of the inode. A kernel that leaves clearing the setuid
// bit to kvfs (FUSE_HANDLE_KILLPRIV_V2) still caches the bit after a write. Invalidating attributes
// alone takes no kernel lock, so a handler may do it.
inline void ForgetAttributes(const FuseContext& context, fuse_ino_t inode) {
  constexpr off_t kNoPages = -1;
  fuse_lowlevel_notify_inval_inode(context.session, inode, kNoPages, 0);
}

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

// With owner and permissions as the mount shows them; those of the control directory are unchanged.
struct stat ToStat(const FuseContext& context, const InodeInfo& inode);
fuse_entry_param ToEntry(const FuseContext& context, const InodeInfo& inode);

// Replies. If the reply to a message that added a reference fails, the reference is dropped, since
// the kernel does not know of it.
void ReplyError(fuse_req_t request, const Error& error);
void ReplyDone(fuse_req_t request, const Result<void>& result);
void ReplyAttributes(fuse_req_t request, const Result<InodeInfo>& inode);
void ReplyEntry(fuse_req_t request, const Result<InodeInfo>& inode);

}  // namespace kvfs::fs
