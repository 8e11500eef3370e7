// Group commit: the threads that wait for a flush of the log, and how many to gather before the
// next flush. RedoLog::SyncTo (store/wal/redo_log.cc) flushes, in the thread of one of them.
//
// Threads that sync repeatedly return soon after a flush has released them. A flush that began at
// once would serve only the first of them, and all others would wait for it and for the next one.
// So the flushing thread waits until as many threads have gathered as the last flush served, but at
// most for half the time which that flush took. A single syncing thread never waits; if others do
// not return, one flush is late, and the next expects fewer.
//
// (PostgreSQL's commit_delay and commit_siblings, and MariaDB's binlog_commit_wait_usec and _count,
// are settings for this wait; here it adapts to the last flush.)
//
// Threads: every call needs the log's mutex.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <vector>

namespace kvfs {

class GroupCommit {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // Registers the caller as waiting until `sequence` is durable.
  void Join(uint64_t sequence) {
    waiting_.push_back(sequence);
    if (waiting_.size() >= expected_) joined_.notify_one();
  }
  // Waits for others to join before a flush. For one thread at a time, the one that will flush.
  // Releases the mutex while it waits.
  template <typename Lock>
  void Gather(Lock& mutex) {
    joined_.wait_for(mutex, last_flush_ / 2, [this] { return waiting_.size() >= expected_; });
  }
  // Releases the waiters up to sequence `durable`; returns their number.
  size_t Release(uint64_t durable) {
    return std::erase_if(waiting_, [durable](uint64_t sequence) { return sequence <= durable; });
  }
  // Records how long the last flush took and how many waiters it released.
  void NoteFlush(Duration took, size_t served) {
    last_flush_ = took;
    expected_ = served;
  }

 private:
  std::vector<uint64_t> waiting_;  // sequences, in no order
  size_t expected_ = 0;
  Duration last_flush_{};
  std::condition_variable_any joined_;
};

}  // namespace kvfs
