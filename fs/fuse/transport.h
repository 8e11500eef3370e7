// What passes between libfuse and /dev/fuse, and what is changed on the way.
//
// libfuse 3.14, the oldest that kvfs is built with, does not know all that the kernel offers, but
// lets a session read and write its messages by functions of its own. These adapt two of them:
//
// - FUSE_TMPFILE, the message of O_TMPFILE, has the layout of FUSE_CREATE, and a name that no file
//   can have, "/". It is handed on as a FUSE_CREATE.
// - FUSE_HANDLE_KILLPRIV_V2 is added to the answer of FUSE_INIT where it is wanted and offered, and
//   what messages then tell of their caller is kept for their handlers.
//
// Newer versions of libfuse know both; what they have asked for by themselves stays.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kvfs::fs {

// The name in a FUSE_CREATE that was a FUSE_TMPFILE.
inline constexpr std::string_view kNameOfUnnamed = "/";

class FuseTransport {
 public:
  // As read(2) and writev(2) on a descriptor of /dev/fuse. Safe from many threads.
  ssize_t Read(int device, void* message, size_t size);
  ssize_t Write(int device, const iovec* parts, int count) const;

  // Has the kernel look for file capabilities once before many writes, instead of before each, and
  // tell whose writes take set-id bits away. To be called before FUSE_INIT is answered.
  void WantKillpriv() { wants_killpriv_ = true; }

  // Whether who has sent the message that this thread has read last may change contents without
  // taking set-id bits away. Nothing where the kernel does not tell: it does for writes, and for
  // changes of the size.
  std::optional<bool> CallerHasFsetid() const;

 private:
  bool IsInitReply(const iovec* parts, int count) const;

  bool wants_killpriv_ = false;
  // Of FUSE_INIT, which is the first message, and alone.
  std::atomic<uint64_t> init_id_{0};
  std::atomic<uint32_t> init_offers_{0};
};

}  // namespace kvfs::fs
