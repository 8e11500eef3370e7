// A lock for many readers or one writer at a time, in which neither side keeps the other out.
//
// A writer that has come waits for the readers that are inside, and for no other: std::shared_mutex
// of glibc lets readers in as long as one is inside, and a writer then waits until all of them
// happen to be outside at once. A reader that has come while a writer waits or is inside tries
// again when that one has left. After some tries in vain it insists, and the next writer waits
// until it has been inside. Among themselves writers have the order that std::mutex gives them.
//
// So a writer waits for those that are at work, and not for all that wait, each of which would have
// to be woken and to get a processor first. (In a phase-fair lock, as of Brandenburg and Anderson
// 2010, each writer lets all readers in that have come during the last: where there are more
// threads than processors, that is a round of all of them for each writer.)
//
// Without a writer a reader costs two atomic additions. Who has to wait looks again for some
// microseconds, which is what most holders take, before it sleeps: to sleep and be woken costs
// more, and on a busy machine a turn of everybody else.
//
// Not recursive, not even for readers: a second lock_shared of one thread would wait for a writer
// that waits for the first. Builds with assertions find it. Meets SharedLockable but for try_lock.
//
// Threads: safe from many, as a lock is.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace kvfs {

class FairSharedMutex {
 public:
  FairSharedMutex() = default;
  FairSharedMutex(const FairSharedMutex&) = delete;
  FairSharedMutex& operator=(const FairSharedMutex&) = delete;

  void lock_shared() {
    NoteTaken();
    if (!TryEnter()) EnterInTurn();
  }
  void unlock_shared() {
    Leave();
    NoteGiven();
  }

  void lock() {
    NoteTaken();
    writers_.lock();
    if (insisting_ != 0) Wait(writer_, [this] { return insisting_ == 0; });
    state_ |= kWriter;
    Wait(writer_, [this] { return state_ == kWriter; });
  }
  void unlock() {
    state_ &= ~kWriter;
    Wake(readers_);
    writers_.unlock();
    NoteGiven();
  }

  // A writer waits or is inside: readers that come now wait for it.
  bool HasWriter() const { return (state_ & kWriter) != 0; }

 private:
  static constexpr uint32_t kWriter = 1;  // one waits for the readers inside, or is inside
  static constexpr uint32_t kReader =
      2;  // times the readers that are inside, or look whether they can

  bool TryEnter() {
    if ((state_.fetch_add(kReader) & kWriter) == 0) return true;
    Leave();
    return false;
  }
  void Leave() {
    if (state_.fetch_sub(kReader) == (kReader | kWriter)) Wake(writer_);
  }

  // As long as somebody insists no writer comes, but for one that has come before.
  void EnterInTurn() {
    constexpr int kTries = 4;
    for (int i = 0; i < kTries; ++i) {
      Wait(readers_, [this] { return !HasWriter(); });
      if (TryEnter()) return;
    }
    ++insisting_;
    do {
      Wait(readers_, [this] { return !HasWriter(); });
    } while (!TryEnter());
    if (--insisting_ == 0) Wake(writer_);
  }

  // Threads that sleep until something has changed.
  struct Sleepers {
    std::atomic<uint32_t> count = 0;
    std::condition_variable changed;
  };

  template <typename IsOver>
  void Wait(Sleepers& sleepers, IsOver is_over) {
    constexpr int kLooks = 100;
    for (int look = 0; look < kLooks; ++look) {
      if (is_over()) return;
      Pause();
    }
    std::unique_lock lock(sleeping_);
    // Who changes something after this look finds the count.
    ++sleepers.count;
    sleepers.changed.wait(lock, is_over);
    --sleepers.count;
  }
  void Wake(Sleepers& sleepers) {
    if (sleepers.count == 0) return;
    { const std::lock_guard lock(sleeping_); }
    sleepers.changed.notify_all();
  }
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

#ifdef NDEBUG
  void NoteTaken() {}
  void NoteGiven() {}
#else
  // That this thread holds. Without memory from the heap, as a lock must not fail.
  struct Held {
    std::array<const FairSharedMutex*, 512> locks;
    size_t count = 0;
  };
  static Held& HeldHere() {
    thread_local Held held;
    return held;
  }
  void NoteTaken() {
    Held& held = HeldHere();
    const auto end = held.locks.begin() + static_cast<ptrdiff_t>(held.count);
    assert(std::find(held.locks.begin(), end, this) == end && "a lock is taken twice");
    assert(held.count < held.locks.size());
    held.locks[held.count++] = this;
  }
  void NoteGiven() {
    Held& held = HeldHere();
    const auto end = held.locks.begin() + static_cast<ptrdiff_t>(held.count);
    const auto found = std::find(held.locks.begin(), end, this);
    assert(found != end && "a lock is given back that is not held");
    *found = held.locks[--held.count];
  }
#endif

  std::atomic<uint32_t> state_ = 0;
  std::atomic<uint32_t> insisting_ = 0;  // readers
  std::mutex writers_;                   // held by the writer that waits, or is inside
  std::mutex sleeping_;
  Sleepers readers_;
  Sleepers writer_;
};

}  // namespace kvfs
