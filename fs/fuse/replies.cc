// Converts between kvfs's types and libfuse's.
#include "fs/fuse/replies.h"

#include "fs/fuse/errno.h"
#include "fs/fuse/kernel_cache.h"

namespace kvfs::fs {
namespace {

timespec ToTimespec(const Timespec& time) {
  return {.tv_sec = time.seconds, .tv_nsec = time.nanoseconds};
}

}  // namespace

struct stat ToStat(const FuseContext& context, const InodeInfo& inode) {
  Attributes attributes = inode.attributes;
  if (!ControlDirectory::Owns(inode.number)) context.options.shown.Show(attributes);
  struct stat out = {};
  out.st_ino = inode.number;
  out.st_mode = attributes.mode;
  out.st_nlink = attributes.links;
  out.st_uid = attributes.uid;
  out.st_gid = attributes.gid;
  out.st_rdev = attributes.device;
  out.st_size = static_cast<off_t>(inode.size_bytes);
  out.st_blksize = 4096;
  out.st_blocks = static_cast<blkcnt_t>((inode.allocated_bytes + 511) / 512);
  out.st_atim = ToTimespec(attributes.atime);
  out.st_mtim = ToTimespec(attributes.mtime);
  out.st_ctim = ToTimespec(attributes.ctime);
  return out;
}

fuse_entry_param ToEntry(const FuseContext& context, const InodeInfo& inode) {
  fuse_entry_param out = {};
  out.ino = inode.number;
  if (inode.number != kRootInode) out.generation = context.file_system.Generation();
  out.attr = ToStat(context, inode);
  out.attr_timeout = kForeverSeconds;
  out.entry_timeout = kForeverSeconds;
  return out;
}

void ReplyError(fuse_req_t request, const Error& error) {
  fuse_reply_err(request, ToErrno(error.code));
}

void ReplyDone(fuse_req_t request, const Result<void>& result) {
  fuse_reply_err(request, result ? 0 : ToErrno(result.error().code));
}

void ReplyAttributes(fuse_req_t request, const Result<InodeInfo>& inode) {
  if (!inode) return ReplyError(request, inode.error());
  const struct stat attributes = ToStat(ContextBehind(request), *inode);
  fuse_reply_attr(request, &attributes, kForeverSeconds);
}

void ReplyEntry(fuse_req_t request, const Result<InodeInfo>& inode) {
  if (!inode) return ReplyError(request, inode.error());
  FuseContext& context = ContextBehind(request);
  const fuse_entry_param entry = ToEntry(context, *inode);
  if (fuse_reply_entry(request, &entry) != 0) context.file_system.Forget(inode->number, 1);
}

}  // namespace kvfs::fs
