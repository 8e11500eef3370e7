// Messages for names: lookup, creation, removal, rename; and forget.
#include <linux/fs.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <span>
#include <string_view>

#include "fs/fuse/kernel_cache.h"
#include "fs/fuse/operations.h"
#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

// Names that the kernel looks up for a file handle, in an inode that it may have forgotten.
constexpr std::string_view kDot = ".", kDotDot = "..";

// The kernel may cache that the name is absent.
void ReplyAbsent(fuse_req_t request) {
  fuse_entry_param nothing = {};
  nothing.entry_timeout = kForeverSeconds;
  fuse_reply_entry(request, &nothing);
}

void ReplyProbe(fuse_req_t request, const FuseContext& context) {
  fuse_entry_param entry = ToEntry(context, OpenSuppressor::Inode());
  entry.entry_timeout = 0;
  fuse_reply_entry(request, &entry);
}

void HandleLookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kLookup);
  if (context.probe.IsProbe(parent, name)) return ReplyProbe(request, context);
  if (name == kDot) return ReplyEntry(request, context.file_system.LookupNumber(parent));
  if (name == kDotDot) return ReplyEntry(request, context.file_system.LookupParent(parent));
  const auto inode = context.file_system.Lookup(parent, name);
  if (!inode && inode.error().code == ErrorCode::kNotFound) return ReplyAbsent(request);
  ReplyEntry(request, inode);
}

void HandleForget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
  ContextOf(request, MessageKind::kForget).file_system.Forget(inode, count);
  fuse_reply_none(request);
}

void HandleForgetMulti(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  FuseContext& context = ContextOf(request, MessageKind::kForgetMulti);
  for (const fuse_forget_data& forget : std::span(forgets, count)) {
    context.file_system.Forget(forget.ino, forget.nlookup);
  }
  fuse_reply_none(request);
}

void HandleMknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
                 dev_t device) {
  FuseContext& context = ContextOf(request, MessageKind::kMknod);
  const auto inode = context.file_system.CreateFile(
      parent, name, context.options.shown.Storable(mode), device, CreatorOf(request));
  ReplyEntry(request, inode);
}

void HandleCreate(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
                  fuse_file_info* open_file) {
  const bool is_unnamed = name == kNameOfUnnamed;
  FuseContext& context =
      ContextOf(request, is_unnamed ? MessageKind::kTmpfile : MessageKind::kCreate);
  mode = context.options.shown.Storable(mode);
  const auto inode =
      is_unnamed ? context.file_system.CreateUnnamedFile(parent, mode, CreatorOf(request))
                 : context.file_system.CreateFile(parent, name, (mode & ~mode_t{S_IFMT}) | S_IFREG,
                                                  0, CreatorOf(request));
  if (!inode) return ReplyError(request, inode.error());
  const fuse_entry_param entry = ToEntry(context, *inode);
  open_file->keep_cache = 1;
  if (fuse_reply_create(request, &entry, open_file) != 0) {
    context.file_system.Forget(inode->number, 1);
  }
}

void HandleMkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  FuseContext& context = ContextOf(request, MessageKind::kMkdir);
  const auto inode = context.file_system.MakeDirectory(
      parent, name, context.options.shown.Storable(mode), CreatorOf(request));
  ReplyEntry(request, inode);
}

void HandleSymlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kSymlink);
  const auto inode = context.file_system.MakeSymbolicLink(parent, name, target, CreatorOf(request));
  ReplyEntry(request, inode);
}

void HandleLink(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kLink);
  ReplyEntry(request, context.file_system.Link(inode, parent, name));
}

void HandleUnlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kUnlink);
  ReplyDone(request, context.file_system.Unlink(parent, name));
}

void HandleRmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kRmdir);
  ReplyDone(request, context.file_system.RemoveDirectory(parent, name));
}

std::optional<RenameMode> ToRenameMode(unsigned flags) {
  switch (flags) {
    case 0:
      return RenameMode::kReplace;
    case RENAME_NOREPLACE:
      return RenameMode::kNoReplace;
    case RENAME_EXCHANGE:
      return RenameMode::kExchange;
    default:
      return {};
  }
}

void HandleRename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                  const char* new_name, unsigned flags) {
  FuseContext& context = ContextOf(request, MessageKind::kRename);
  const auto mode = ToRenameMode(flags);
  if (!mode) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  ReplyDone(request, context.file_system.Rename(parent, name, new_parent, new_name, *mode));
}

}  // namespace

void AddNameOperations(fuse_lowlevel_ops& operations) {
  operations.lookup = HandleLookup;
  operations.forget = HandleForget;
  operations.forget_multi = HandleForgetMulti;
  operations.mknod = HandleMknod;
  operations.create = HandleCreate;
  operations.mkdir = HandleMkdir;
  operations.symlink = HandleSymlink;
  operations.link = HandleLink;
  operations.unlink = HandleUnlink;
  operations.rmdir = HandleRmdir;
  operations.rename = HandleRename;
}

}  // namespace kvfs::fs
