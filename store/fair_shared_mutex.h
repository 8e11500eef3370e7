// A lock for many readers or one writer at a time, in which neither keeps the other out: phases of
// readers and of writers take turns ("phase-fair": Brandenburg and Anderson, Spin-Based
// Reader-Writer Synchronization for Multiprocessor Real-Time Systems, 2010).
//
// A writer that has come waits for the readers that are inside, and for no other. A reader that
// comes while a writer waits or is inside is let in when that one writer has left, even if others
// wait. std::shared_mutex of glibc lets readers in as long as one is inside: a writer then waits
// until all of them happen to be outside at once. Among themselves writers have the order that
// std::mutex gives them.
//
// A reader counts itself in and out in two words, so without a writer it costs two atomic
// additions, and nobody waits but for a lock that is held.
//
// Not recursive, not even for readers: a second lock_shared of one thread would wait for a writer
// that waits for the first. Builds with assertions find it. Meets SharedLockable but for try_lock.
//
// Threads: safe from many, as a lock is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <mutex>
#include <vector>

namespace kvfs {

class FairSharedMutex {
 public:
  FairSharedMutex() = default;
  FairSharedMutex(const FairSharedMutex&) = delete;
  FairSharedMutex& operator=(const FairSharedMutex&) = delete;

  void lock_shared() {
    NoteTaken();
    const uint32_t writer = entered_.fetch_add(kReader) & kWriterBits;
    if (writer != 0) WaitForEndOf(writer);
  }
  void unlock_shared() {
    left_.fetch_add(kReader);
    if ((entered_.load() & kWriterBits) != 0) left_.notify_one();
    NoteGiven();
  }

  void lock() {
    NoteTaken();
    writers_.lock();
    phase_ ^= kPhase;
    const uint32_t inside = entered_.fetch_add(kWriter | phase_);
    for (uint32_t left = left_.load(); left != inside; left = left_.load()) left_.wait(left);
  }
  void unlock() {
    entered_.fetch_and(~kWriterBits);
    entered_.notify_all();
    writers_.unlock();
    NoteGiven();
  }

  // A writer waits or is inside: readers that come now wait for it.
  bool HasWriter() const { return (entered_.load() & kWriter) != 0; }

 private:
  static constexpr uint32_t kPhase = 1;   // differs from that of the writer before
  static constexpr uint32_t kWriter = 2;  // one waits or is inside
  static constexpr uint32_t kWriterBits = kPhase | kWriter;
  static constexpr uint32_t kReader = 4;

  // Until there is no writer, or another one: the next waits for this reader, so it cannot be over
  // before this reader has seen it.
  void WaitForEndOf(uint32_t writer) {
    for (uint32_t now = entered_.load(); (now & kWriterBits) == writer; now = entered_.load()) {
      entered_.wait(now);
    }
  }

#ifdef NDEBUG
  void NoteTaken() {}
  void NoteGiven() {}
#else
  static std::vector<const FairSharedMutex*>& Held() {
    thread_local std::vector<const FairSharedMutex*> held;
    return held;
  }
  void NoteTaken() {
    assert(std::ranges::find(Held(), this) == Held().end() && "a lock is taken twice");
    Held().push_back(this);
  }
  void NoteGiven() { std::erase(Held(), this); }
#endif

  // Readers that have come, and whether a writer has; readers that have gone. Both count in steps
  // of kReader and wrap around together.
  std::atomic<uint32_t> entered_ = 0;
  std::atomic<uint32_t> left_ = 0;
  std::mutex writers_;  // held by the writer that waits for readers, or is inside
  uint32_t phase_ = 0;  // guarded by writers_
};

}  // namespace kvfs
