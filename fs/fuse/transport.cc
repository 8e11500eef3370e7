// Messages are copied field by field: libfuse's buffers need not be aligned.
#include "fs/fuse/transport.h"

#include <linux/fuse.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace kvfs::fs {
namespace {

// Since 5.11 and 6.2; the headers of the build may be older than the kernel.
constexpr uint32_t kOpcodeTmpfile = 51;
constexpr uint32_t kHandleKillprivV2 = 1u << 28;
constexpr uint32_t kWriteKillSuidgid = 1u << 2;
constexpr uint32_t kSetattrKillSuidgid = 1u << 11;

template <typename T>
bool Take(const void* bytes, size_t length, size_t offset, T* out) {
  if (length < offset + sizeof(T)) return false;
  std::memcpy(out, static_cast<const std::byte*>(bytes) + offset, sizeof(T));
  return true;
}

// Whether the message, if it changes a content, must clear set-id bits; nothing for other messages.
// A change of owner always clears them.
std::optional<bool> TakesSetId(uint32_t opcode, const void* message, size_t length) {
  constexpr size_t kBody = sizeof(fuse_in_header);
  fuse_write_in write = {};
  if (opcode == FUSE_WRITE && Take(message, length, kBody, &write)) {
    return (write.write_flags & kWriteKillSuidgid) != 0;
  }
  fuse_setattr_in set = {};
  if (opcode == FUSE_SETATTR && Take(message, length, kBody, &set) &&
      (set.valid & (FATTR_SIZE | FATTR_UID | FATTR_GID)) == FATTR_SIZE) {
    return (set.valid & kSetattrKillSuidgid) != 0;
  }
  return std::nullopt;
}

// For the thread's current message: one thread reads, handles and answers it.
thread_local std::optional<bool> takes_set_id;

}  // namespace

ssize_t FuseTransport::Read(int device, void* message, size_t size) {
  const ssize_t length = read(device, message, size);
  fuse_in_header header;
  if (length < 0 || !Take(message, static_cast<size_t>(length), 0, &header)) return length;
  takes_set_id = TakesSetId(header.opcode, message, static_cast<size_t>(length));
  if (header.opcode == kOpcodeTmpfile) {
    header.opcode = FUSE_CREATE;
    std::memcpy(message, &header, sizeof header);
  }
  if (header.opcode == FUSE_INIT) {
    uint32_t offers = 0;
    Take(message, static_cast<size_t>(length), sizeof header + offsetof(fuse_init_in, flags),
         &offers);
    init_offers_ = offers;
    init_id_ = header.unique;
  }
  return length;
}

std::optional<bool> FuseTransport::CallerHasFsetid() const {
  const bool is_told = wants_killpriv_ && (init_offers_ & kHandleKillprivV2) != 0;
  if (!is_told || !takes_set_id) return std::nullopt;
  return !*takes_set_id;
}

bool FuseTransport::IsInitReply(const iovec* parts, int count) const {
  fuse_out_header header;
  return count == 2 && Take(parts[0].iov_base, parts[0].iov_len, 0, &header) &&
         header.unique == init_id_ && header.error == 0;
}

ssize_t FuseTransport::Write(int device, const iovec* parts, int count) const {
  constexpr size_t kFlags = offsetof(fuse_init_out, flags);
  fuse_init_out reply = {};
  if (!wants_killpriv_ || !IsInitReply(parts, count) ||
      parts[1].iov_len < kFlags + sizeof reply.flags || parts[1].iov_len > sizeof reply) {
    return writev(device, parts, count);
  }
  std::memcpy(&reply, parts[1].iov_base, parts[1].iov_len);
  reply.flags |= init_offers_ & kHandleKillprivV2;
  const iovec adapted[] = {parts[0], {&reply, parts[1].iov_len}};
  return writev(device, adapted, 2);
}

}  // namespace kvfs::fs
