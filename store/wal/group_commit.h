// Who waits until the log is flushed, and how many to wait for before the next flush (group
// commit).
//
// Threads that sync again and again come back soon after a flush has let them go. A flush that
// began at once would take the first of them alone, and all others would wait for it and for the
// next one. So whoever is to flush lets as many gather as the last flush served, for half the time
// that it took at most. Who syncs alone never waits; where others do not come back, one flush is
// late, and the next expects fewer.
//
// (PostgreSQL's commit_delay and commit_siblings, and MariaDB's binlog_commit_wait_usec and _count,
// are settings for this wait; here it is as long as it was of use the last time.)
//
// Threads: everything with the log's mutex held.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <vector>

namespace kvfs {

class GroupCommit {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // The caller waits until `sequence` is durable.
  void Join(uint64_t sequence) {
    waiting_.push_back(sequence);
    if (waiting_.size() >= expected_) joined_.notify_one();
  }
  // For one thread at a time, which is to flush. `lock`, of the mutex, is given up meanwhile.
  template <typename Lock>
  void Gather(Lock& lock) {
    joined_.wait_for(lock, last_flush_ / 2, [this] { return waiting_.size() >= expected_; });
  }
  // Those up to sequence `durable` wait no longer; returns how many.
  size_t Release(uint64_t durable) {
    return std::erase_if(waiting_, [durable](uint64_t sequence) { return sequence <= durable; });
  }
  // A flush has taken so long, and has served so many.
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
