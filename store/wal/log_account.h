// The part of the redo log that is in use: what a recovery would have to replay.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <cstdint>

namespace kvfs {

struct LogAccount {
  std::atomic<uint64_t> log_bytes = 0;    // records
  std::atomic<uint64_t> block_bytes = 0;  // blocks that records name

  void Add(uint64_t log, uint64_t blocks) {
    log_bytes += log;
    block_bytes += blocks;
  }
};

}  // namespace kvfs
