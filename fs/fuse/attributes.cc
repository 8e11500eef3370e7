// Messages about attributes, and about the file system's space.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fs/fuse/operations.h"
#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kBlockBytes = 4096;
// The number of free inodes: only disk space limits the number of files.
constexpr uint64_t kFreeInodes = uint64_t{1} << 32;

void HandleGetattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kGetattr);
  ReplyAttributes(request, context.file_system.GetAttributes(inode));
}

Timespec FromTimespec(const timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

AttributeChange ToChange(const FuseContext& context, const struct stat& wanted, int set) {
  const Timespec now = context.file_system.Now();
  AttributeChange change;
  // A SETATTR of nothing else is chown(path, -1, -1), or comes before a write that clears the bits,
  // which then says so itself.
  change.drops_privileges = (set & ~FUSE_SET_ATTR_CTIME) == 0;
  if (set & FUSE_SET_ATTR_MODE) change.permissions = context.options.shown.Storable(wanted.st_mode);
  if (set & FUSE_SET_ATTR_UID) change.uid = wanted.st_uid;
  if (set & FUSE_SET_ATTR_GID) change.gid = wanted.st_gid;
  if (set & FUSE_SET_ATTR_SIZE) change.size_bytes = static_cast<uint64_t>(wanted.st_size);
  if (set & FUSE_SET_ATTR_ATIME) change.atime = FromTimespec(wanted.st_atim);
  if (set & FUSE_SET_ATTR_MTIME) change.mtime = FromTimespec(wanted.st_mtim);
  if (set & FUSE_SET_ATTR_CTIME) change.ctime = FromTimespec(wanted.st_ctim);
  if (set & FUSE_SET_ATTR_ATIME_NOW) change.atime = now;
  if (set & FUSE_SET_ATTR_MTIME_NOW) change.mtime = now;
  return change;
}

void HandleSetattr(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int set,
                   fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kSetattr);
  const AttributeChange change = ToChange(context, *wanted, set);
  ReplyAttributes(request, context.file_system.SetAttributes(inode, change, CallerOf(request)));
}

void HandleStatfs(fuse_req_t request, fuse_ino_t) {
  FuseContext& context = ContextOf(request, MessageKind::kStatfs);
  const auto space = context.file_system.GetSpace();
  if (!space) return ReplyError(request, space.error());
  struct statvfs out = {};
  out.f_bsize = kBlockBytes;
  out.f_frsize = kBlockBytes;
  out.f_blocks = space->total_bytes / kBlockBytes;
  out.f_bfree = space->available_bytes / kBlockBytes;
  out.f_bavail = out.f_bfree;
  out.f_files = space->entries + kFreeInodes;
  out.f_ffree = kFreeInodes;
  out.f_favail = kFreeInodes;
  out.f_namemax = kMaxNameBytes;
  fuse_reply_statfs(request, &out);
}

}  // namespace

void AddAttributeOperations(fuse_lowlevel_ops& operations) {
  operations.getattr = HandleGetattr;
  operations.setattr = HandleSetattr;
  operations.statfs = HandleStatfs;
}

}  // namespace kvfs::fs
