// Messages for the space of contents: fallocate, lseek for data and holes, copy_file_range.
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "fs/fuse/kernel_cache.h"
#include "fs/fuse/operations.h"
#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

std::optional<RangeChange> ToRangeChange(int mode) {
  switch (mode) {
    case 0:
      return RangeChange::kAllocate;
    case FALLOC_FL_KEEP_SIZE:
      return RangeChange::kAllocateKeepingSize;
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      return RangeChange::kPunch;
    case FALLOC_FL_ZERO_RANGE:
      return RangeChange::kZero;
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
      return RangeChange::kZeroKeepingSize;
    default:
      return {};
  }
}

void HandleFallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                     fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kFallocate);
  const auto change = ToRangeChange(mode);
  if (!change) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  bool was_interrupted = false, cleared_bits = false;
  const auto changed = context.file_system.ChangeRange(
      inode, static_cast<uint64_t>(offset), static_cast<uint64_t>(length), *change,
      CallerOf(request), [&] { return was_interrupted = fuse_req_interrupted(request) != 0; },
      &cleared_bits);
  if (cleared_bits) ForgetAttributes(context, inode);
  if (!changed && was_interrupted) {
    fuse_reply_err(request, EINTR);
    return;
  }
  ReplyDone(request, changed);
}

void HandleLseek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence, fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kLseek);
  if (whence != SEEK_DATA && whence != SEEK_HOLE) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const RangeKind kind = whence == SEEK_DATA ? RangeKind::kData : RangeKind::kHole;
  const auto found = context.file_system.FindRange(inode, static_cast<uint64_t>(offset), kind);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    fuse_reply_err(request, ENXIO);
    return;
  }
  if (!found) return ReplyError(request, found.error());
  fuse_reply_lseek(request, static_cast<off_t>(*found));
}

void HandleCopyFileRange(fuse_req_t request, fuse_ino_t from, off_t from_offset, fuse_file_info*,
                         fuse_ino_t to, off_t to_offset, fuse_file_info*, size_t length, int) {
  FuseContext& context = ContextOf(request, MessageKind::kCopyFileRange);
  bool cleared_bits = false;
  const auto copied = context.file_system.CopyRange(from, static_cast<uint64_t>(from_offset), to,
                                                    static_cast<uint64_t>(to_offset), length,
                                                    CallerOf(request), &cleared_bits);
  if (!copied) return ReplyError(request, copied.error());
  if (cleared_bits) ForgetAttributes(context, to);
  fuse_reply_write(request, *copied);
}

}  // namespace

void AddSpaceOperations(fuse_lowlevel_ops& operations) {
  operations.fallocate = HandleFallocate;
  operations.lseek = HandleLseek;
  operations.copy_file_range = HandleCopyFileRange;
}

}  // namespace kvfs::fs
