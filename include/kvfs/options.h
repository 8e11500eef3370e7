// Options of a store: those fixed at creation, and those given at each opening.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kvfs {

// Bounds of the creation options.
inline constexpr uint32_t kMostShards = 256;
inline constexpr uint32_t kLeastPageBytes = 4096;
inline constexpr uint32_t kMostPageBytes = 32768;
inline constexpr uint64_t kLeastSegmentBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMostSegmentBytes = uint64_t{1} << 30;
inline constexpr uint64_t kLeastSegments = 4;  // that fit into the log's limit
inline constexpr uint64_t kMostLogLimitBytes = uint64_t{1} << 40;

// Given at creation and stored in the superblock.
struct CreateOptions {
  // 1 to 256. Each shard has a lock, a tree and two files of its own.
  uint32_t shards = 8;
  // Size of a tree page: a power of two, 4096 to 32768. Values, and tails of values, of up to an
  // eighth of a page are stored inside a leaf.
  uint32_t page_bytes = 16384;
  // Limit of the redo log over all segments; bounds the time of a recovery (P4). A checkpoint
  // starts at half of it. At least 4 segments.
  uint64_t log_limit_bytes = uint64_t{256} << 20;
  // Size of one log segment, at least 1 MiB; bounds the size of one batch.
  uint64_t log_segment_bytes = uint64_t{4} << 20;
  // Seed of the name hash. Random by default, so that nobody can choose names that collide.
  std::optional<uint64_t> hash_seed;
  // Uses only this many high bits of the hash (1 to 63); lets tests make names collide.
  uint32_t hash_bits = 63;
};

// Given at each opening.
struct OpenOptions {
  // Shown with the process id in the lock file and in the error that a second opener gets: for
  // example the mount point.
  std::string purpose;
  // Opens the store without changing anything on disk; changes fail with kReadOnly. Several readers
  // may have it open at once, but not while a writer has.
  bool read_only = false;
  // Limit of memory for changes that await the next checkpoint (P10). A checkpoint starts at half
  // of it; changes that would exceed it wait.
  uint64_t dirty_limit_bytes = uint64_t{256} << 20;
  // After this time without changes a checkpoint is taken, and spare space is returned to the file
  // system. 0: never.
  uint32_t idle_ms = 3000;
  // Receives a line about each event that an operator should know of: recovery, damage, I/O
  // failure. Called from any thread, with locks held: it must not call the store.
  std::function<void(std::string_view line)> log;
};

}  // namespace kvfs
