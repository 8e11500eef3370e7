// Messages for contents: read, write, sync; and readlink.
#include <fcntl.h>

#include <memory>

#include "fs/fuse/kernel_cache.h"
#include "fs/fuse/operations.h"
#include "fs/fuse/replies.h"

namespace kvfs::fs {
namespace {

// A buffer for one read, kept for each thread, as large as its largest read so far.
MutableBytes ReadBuffer(size_t size) {
  thread_local std::unique_ptr<std::byte[]> buffer;
  thread_local size_t buffer_bytes = 0;
  if (buffer_bytes < size) {
    buffer = std::make_unique_for_overwrite<std::byte[]>(size);
    buffer_bytes = size;
  }
  return {buffer.get(), size};
}

void HandleRead(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kRead);
  const MutableBytes buffer = ReadBuffer(size);
  const auto length = context.file_system.Read(inode, static_cast<uint64_t>(offset), buffer);
  if (!length) return ReplyError(request, length.error());
  fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), *length);
}

// The kernel sends an append with the offset that it believes to be the end. If a command has
// changed the size meanwhile, this is wrong, and so are the kernel's cached pages.
void Append(fuse_req_t request, FuseContext& context, fuse_ino_t inode, Bytes data,
            uint64_t believed_end) {
  const auto appended = context.file_system.Append(inode, believed_end, data, CallerOf(request));
  if (!appended) return ReplyError(request, appended.error());
  if (appended->offset != believed_end) {
    context.late_invalidation.Add(inode);
  } else if (appended->cleared_bits) {
    ForgetAttributes(context, inode);
  }
  fuse_reply_write(request, data.size());
}

// With write-back caching only the kernel knows the end of a file.
bool IsAppend(const FuseContext& context, const fuse_file_info* file) {
  return (file->flags & O_APPEND) != 0 && file->writepage == 0 && !context.options.writeback;
}

void HandleWrite(fuse_req_t request, fuse_ino_t inode, const char* data, size_t size, off_t offset,
                 fuse_file_info* file) {
  FuseContext& context = ContextOf(request, MessageKind::kWrite);
  if (IsAppend(context, file)) {
    return Append(request, context, inode, AsBytes({data, size}), static_cast<uint64_t>(offset));
  }
  const auto written = context.file_system.Write(inode, static_cast<uint64_t>(offset),
                                                 AsBytes({data, size}), CallerOf(request));
  if (!written) return ReplyError(request, written.error());
  if (written->cleared_bits) ForgetAttributes(context, inode);
  fuse_reply_write(request, size);
}

template <MessageKind kKind>
void HandleSync(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) {
  FuseContext& context = ContextOf(request, kKind);
  ReplyDone(request, context.file_system.Sync());
}

void HandleReadlink(fuse_req_t request, fuse_ino_t inode) {
  FuseContext& context = ContextOf(request, MessageKind::kReadlink);
  const auto target = context.file_system.ReadLink(inode);
  if (!target) return ReplyError(request, target.error());
  fuse_reply_readlink(request, target->c_str());
}

}  // namespace

void AddContentOperations(fuse_lowlevel_ops& operations) {
  operations.read = HandleRead;
  operations.write = HandleWrite;
  operations.fsync = HandleSync<MessageKind::kFsync>;
  operations.fsyncdir = HandleSync<MessageKind::kFsyncdir>;
  operations.readlink = HandleReadlink;
}

}  // namespace kvfs::fs
