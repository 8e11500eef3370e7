// Counts of the kernel's messages by kind, the round trips that a command costs; and the latencies
// of their replies.
//
// The kinds are the kernel's opcodes (linux/fuse.h); both kinds of rename are one. Messages of
// other kinds are not counted: the kernel sends them once, and learns that they are not supported.
// Counts only grow; each is exact, but counts read while messages arrive need not be consistent
// with each other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fs/fuse/latency_histogram.h"

namespace kvfs::fs {

enum class MessageKind : uint8_t {
  kLookup = 1,
  kForget = 2,
  kGetattr = 3,
  kSetattr = 4,
  kReadlink = 5,
  kSymlink = 6,
  kMknod = 8,
  kMkdir = 9,
  kUnlink = 10,
  kRmdir = 11,
  kRename = 12,
  kLink = 13,
  kOpen = 14,
  kRead = 15,
  kWrite = 16,
  kStatfs = 17,
  kRelease = 18,
  kFsync = 20,
  kSetxattr = 21,
  kGetxattr = 22,
  kListxattr = 23,
  kRemovexattr = 24,
  kFlush = 25,
  kOpendir = 27,
  kReaddir = 28,
  kReleasedir = 29,
  kFsyncdir = 30,
  kCreate = 35,
  kForgetMulti = 42,
  kFallocate = 43,
  kReaddirplus = 44,
  kLseek = 46,
  kCopyFileRange = 47,
  kTmpfile = 51,
};

class MessageCounts {
 public:
  static constexpr size_t kKinds = 52;

  void Add(MessageKind kind) {
    counts_[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t Of(MessageKind kind) const {
    return counts_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }
  void AddLatency(MessageKind kind, std::chrono::nanoseconds duration) {
    latencies_[static_cast<size_t>(kind)].Record(duration);
  }
  Latencies LatenciesOf(MessageKind kind) const {
    return latencies_[static_cast<size_t>(kind)].Copy();
  }

 private:
  std::array<std::atomic<uint64_t>, kKinds> counts_{};
  std::array<LatencyHistogram, kKinds> latencies_{};
};

// The kernel's name of the kind in lower case; empty for an unknown number.
std::string_view NameOf(MessageKind kind);

}  // namespace kvfs::fs
