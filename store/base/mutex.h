// A mutex, a condition variable, and scoped locks for any of the project's locks. They do what
// std::mutex, std::condition_variable, std::lock_guard, std::unique_lock and std::shared_lock do;
// but libstdc++ does not annotate those, and so clang could not check who holds what
// (thread_annotations.h).
//
// Threads: a Mutex is safe from many; a scoped lock belongs to one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "store/base/thread_annotations.h"

namespace kvfs {

class KVFS_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() KVFS_ACQUIRE() { mutex_.lock(); }
  void unlock() KVFS_RELEASE() { mutex_.unlock(); }
  // Tells the check that the lock is held, where it cannot know.
  void AssertHeld() const KVFS_ASSERTS_HELD {}

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

// Holds a lock exclusively while it lives, but for the time between unlock() and lock().
template <typename Lock>
class KVFS_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Lock& mutex) KVFS_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() KVFS_RELEASE() {
    if (is_held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() KVFS_RELEASE() {
    mutex_.unlock();
    is_held_ = false;
  }
  void lock() KVFS_ACQUIRE() {
    mutex_.lock();
    is_held_ = true;
  }

 private:
  Lock& mutex_;
  bool is_held_ = true;
};

// The same for a lock held shared.
template <typename Lock>
class KVFS_SCOPED_CAPABILITY SharedLock {
 public:
  explicit SharedLock(Lock& mutex) KVFS_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~SharedLock() KVFS_RELEASE() {
    if (is_held_) mutex_.unlock_shared();
  }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  void unlock() KVFS_RELEASE() {
    mutex_.unlock_shared();
    is_held_ = false;
  }
  void lock() KVFS_ACQUIRE_SHARED() {
    mutex_.lock_shared();
    is_held_ = true;
  }

 private:
  Lock& mutex_;
  bool is_held_ = true;
};

// Releases a lock, which the thread holds exclusively, while it lives, or until lock(). (To the
// check this is a scope that holds the absence of the lock: hence the annotations.)
template <typename Lock>
class KVFS_SCOPED_CAPABILITY MutexUnlock {
 public:
  explicit MutexUnlock(Lock& mutex) KVFS_RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~MutexUnlock() KVFS_RELEASE() {
    if (is_released_) mutex_.lock();
  }
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

  void lock() KVFS_RELEASE() {
    mutex_.lock();
    is_released_ = false;
  }

 private:
  Lock& mutex_;
  bool is_released_ = true;
};

// For a Mutex; others have std::condition_variable_any, which is slower. A wait releases the lock
// meanwhile. Two functions are not checked: whatever lock is_over() requires, it is `mutex`, which
// the check cannot know.
class ConditionVariable {
 public:
  void notify_one() { changed_.notify_one(); }
  void notify_all() { changed_.notify_all(); }

  void wait(Mutex& mutex) KVFS_REQUIRES_LOCK(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  template <typename IsOver>
  void wait(Mutex& mutex, IsOver is_over) KVFS_REQUIRES_LOCK(mutex) KVFS_NO_THREAD_SAFETY_ANALYSIS {
    while (!is_over()) wait(mutex);
  }
  void wait_for(Mutex& mutex, std::chrono::nanoseconds most) KVFS_REQUIRES_LOCK(mutex) {
    wait_until(mutex, std::chrono::steady_clock::now() + most);
  }
  // Returns is_over(), which is true unless the time has passed.
  template <typename IsOver>
  bool wait_for(Mutex& mutex, std::chrono::nanoseconds most, IsOver is_over)
      KVFS_REQUIRES_LOCK(mutex) KVFS_NO_THREAD_SAFETY_ANALYSIS {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!is_over()) {
      if (!wait_until(mutex, end)) return is_over();
    }
    return true;
  }

 private:
  // False if the time has passed.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point end)
      KVFS_REQUIRES_LOCK(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const auto status = changed_.wait_until(lock, end);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  std::condition_variable changed_;
};

}  // namespace kvfs
