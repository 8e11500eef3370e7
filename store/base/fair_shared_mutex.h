// A reader-writer lock in which neither side starves the other.
//
// A writer waits only for the readers that hold the lock when it arrives. (glibc's
// std::shared_mutex admits readers as long as one holds it, so a writer waits until they all happen
// to be gone at once.) A reader that arrives while a writer waits or holds the lock retries when
// that writer is done. After several failed tries it insists: the next writer waits until this
// reader has had the lock. Writers are ordered among themselves by std::mutex.
//
// So a writer waits for the readers at work, but not for the waiting ones, each of which would have
// to be woken and scheduled first. (In the phase-fair lock of Brandenburg and Anderson, 2010, each
// writer first admits all readers that arrived during the last one: with more threads than
// processors, that is a round of all of them for each writer.)
//
// Without a writer a reader costs two atomic additions. A waiting thread spins for some
// microseconds, as long as most holders take, before it sleeps: sleeping and waking cost more, and
// on a busy machine a turn of every other thread.
//
// Not recursive, not even for readers: a second lock_shared by the same thread would wait for a
// writer that waits for the first. Builds with assertions detect it. Meets SharedLockable except
// for try_lock.
//
// Threads: safe from many.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "store/base/thread_annotations.h"

namespace kvfs {

class KVFS_CAPABILITY("mutex") FairSharedMutex {
 public:
  FairSharedMutex() = default;
  FairSharedMutex(const FairSharedMutex&) = delete;
  FairSharedMutex& operator=(const FairSharedMutex&) = delete;

  void lock_shared() KVFS_ACQUIRE_SHARED() {
    NoteTaken();
    if (!TryEnter()) EnterInTurn();
  }
  void unlock_shared() KVFS_RELEASE_SHARED() {
    Leave();
    NoteGiven();
  }

  void lock() KVFS_ACQUIRE() {
    NoteTaken();
    writers_.lock();
    if (insisting_ != 0) Wait(writer_, [this] { return insisting_ == 0; });
    state_ |= kWriter;
    Wait(writer_, [this] { return state_ == kWriter; });
  }
  void unlock() KVFS_RELEASE() {
    state_ &= ~kWriter;
    Wake(readers_);
    writers_.unlock();
    NoteGiven();
  }

  // Tells the check that the lock is held, where it cannot know.
  void AssertHeld() const KVFS_ASSERTS_HELD {}
  void AssertShared() const KVFS_ASSERTS_SHARED {}

  // Whether a writer waits or holds the lock: arriving readers wait for it.
  bool HasWriter() const { return (state_ & kWriter) != 0; }

 private:
  static constexpr uint32_t kWriter = 1;  // a writer waits for the readers, or holds the lock
  static constexpr uint32_t kReader = 2;  // times the readers that hold the lock or are trying to

  bool TryEnter() {
    if ((state_.fetch_add(kReader) & kWriter) == 0) return true;
    Leave();
    return false;
  }
  void Leave() {
    if (state_.fetch_sub(kReader) == (kReader | kWriter)) Wake(writer_);
  }

  // While a reader insists no further writer enters, except one that arrived before.
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

  // Threads that sleep until a condition changes.
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
    // A thread that changes the condition after this point sees the count.
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
  // The locks that this thread holds. Uses no heap memory, as locking must not fail.
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
    assert(found != end && "a lock is released that is not held");
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
