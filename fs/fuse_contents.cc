// Messages about contents: read, written, synced; and targets of symbolic links.
#include <memory>

#include "fs/fuse_operations.h"

namespace kvfs::fs {
namespace {

// A buffer for one read, kept by each thread, as large as its largest read so far.
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

void HandleWrite(fuse_req_t request, fuse_ino_t inode, const char* data, size_t size, off_t offset,
                 fuse_file_info*) {
  FuseContext& context = ContextOf(request, MessageKind::kWrite);
  const auto written = context.file_system.Write(inode, static_cast<uint64_t>(offset),
                                                 AsBytes({data, size}), CallerOf(request));
  if (!written) return ReplyError(request, written.error());
  if (*written) ForgetAttributes(context, inode);
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
