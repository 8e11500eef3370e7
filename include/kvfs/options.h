// What can be chosen of a store: once, when it is created, and each time it is opened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kvfs {

// The bounds of what is chosen at creation.
inline constexpr uint32_t kMostShards = 256;
inline constexpr uint32_t kLeastPageBytes = 4096;
inline constexpr uint32_t kMostPageBytes = 32768;
inline constexpr uint64_t kLeastSegmentBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMostSegmentBytes = uint64_t{1} << 30;
inline constexpr uint64_t kLeastSegments = 4;  // that fit into the log's limit
inline constexpr uint64_t kMostLogLimitBytes = uint64_t{1} << 40;

// Chosen at creation, stored in the superblock, never asked for again.
struct CreateOptions {
  // 1 to 256. Each shard has a lock, a tree and two files of its own.
  uint32_t shards = 8;
  // Size of a tree page: a power of two, 4096 to 32768. An eighth of it is the largest value, and
  // the largest tail of a value, that lies inside a leaf.
  uint32_t page_bytes = 16384;
  // The redo log's limit over all segments; bounds the time that recovery takes (P4). A
  // checkpoint starts at half of it. At least 4 segments.
  uint64_t log_limit_bytes = uint64_t{256} << 20;
  // One segment of the log, at least 1 MiB; bounds the size of one batch.
  uint64_t log_segment_bytes = uint64_t{4} << 20;
  // Seed of the names' hash. Without it a random one, so that nobody can choose names that collide.
  std::optional<uint64_t> hash_seed;
  // Keeps only this many high bits of the hash (1 to 63): a test's way to make names collide.
  uint32_t hash_bits = 63;
};

// Chosen at each opening.
struct OpenOptions {
  // Named in the lock file and in the error that a second opener gets, beside the process number:
  // for example the mount point.
  std::string purpose;
  // Looks at the store and changes nothing on the disk; changes fail with kReadOnly. Several may do
  // so at once, but not while somebody has it open for writing.
  bool read_only = false;
  // Memory for changes that wait for the next checkpoint (P10): one starts at half of it, and who
  // would exceed it waits.
  uint64_t dirty_limit_bytes = uint64_t{256} << 20;
  // Without changes for so long a checkpoint is taken, and spare space goes back to the disk. 0:
  // never.
  uint32_t idle_ms = 3000;
  // Gets a line about each event that an operator should know of: recovery, damage, I/O failure.
  // Called from any thread, with locks held: it must not call the store.
  std::function<void(std::string_view line)> log;
};

}  // namespace kvfs
