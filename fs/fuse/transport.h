// The messages between libfuse and /dev/fuse, some of which are adapted on the way.
//
// libfuse 3.14, the oldest supported version, does not know all features of the kernel, but lets a
// session read and write its messages with custom functions. These adapt two of them:
//
// - FUSE_TMPFILE, the message of O_TMPFILE, has the layout of FUSE_CREATE, with a name that no file
//   can have, "/". It is passed on as a FUSE_CREATE.
// - FUSE_HANDLE_KILLPRIV_V2 is added to the reply to FUSE_INIT if wanted and offered, and what
// later
//   messages tell about their caller is kept for their handlers.
//
// Newer versions of libfuse know both; the features that they request themselves are kept.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kvfs::fs {

// The name in a FUSE_CREATE made from a FUSE_TMPFILE.
inline constexpr std::string_view kNameOfUnnamed = "/";

class FuseTransport {
 public:
  // As read(2) and writev(2) on a descriptor of /dev/fuse. Safe from many threads.
  ssize_t Read(int device, void* message, size_t size);
  ssize_t Write(int device, const iovec* parts, int count) const;

  // Makes the kernel check file capabilities once before many writes, instead of before each, and
  // tell which writes clear set-id bits. Call it before FUSE_INIT is answered.
  void WantKillpriv() { wants_killpriv_ = true; }

  // Whether the sender of the last message read by this thread may change contents without clearing
  // set-id bits. Nothing if the kernel does not tell: it does for writes, and for changes of size.
  std::optional<bool> CallerHasFsetid() const;

 private:
  bool IsInitReply(const iovec* parts, int count) const;

  bool wants_killpriv_ = false;
  // From FUSE_INIT, the first message, which is handled alone.
  std::atomic<uint64_t> init_id_{0};
  std::atomic<uint32_t> init_offers_{0};
};

}  // namespace kvfs::fs
