// What the handlers of FUSE messages work with, and how they begin and end.
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
#include "fs/fuse/messages.h"
#include "fs/fuse/open_suppressor.h"
#include "fs/fuse/shown_owner.h"
#include "fs/fuse/transport.h"

namespace kvfs::fs {

// How long the kernel may remember names, absent names and attributes: ten years.
inline constexpr double kForeverSeconds = 315'360'000;

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

// Has the kernel ask for the inode's attributes when it needs them next. A kernel that leaves
// clearing the setuid bit to kvfs (FUSE_HANDLE_KILLPRIV_V2) goes on believing in the bit after a
// write; attributes alone go without a lock, so a handler may have them go.
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

// Who calls, and on whose behalf that makes something new.
Caller CallerOf(fuse_req_t request);
Caller CreatorOf(fuse_req_t request);

// Owner and permissions as the mount shows them; the control directory's are its own.
struct stat ToStat(const FuseContext& context, const InodeInfo& inode);
fuse_entry_param ToEntry(const FuseContext& context, const InodeInfo& inode);

// Replies. A failed reply to a message that added a reference takes the reference back, since the
// kernel does not know of it.
void ReplyError(fuse_req_t request, const Error& error);
void ReplyDone(fuse_req_t request, const Result<void>& result);
void ReplyAttributes(fuse_req_t request, const Result<InodeInfo>& inode);
void ReplyEntry(fuse_req_t request, const Result<InodeInfo>& inode);

}  // namespace kvfs::fs
