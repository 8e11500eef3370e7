// Says in the code which lock guards what, so that clang checks it: tools/thread_safety. For other
// compilers the macros are empty.
//
//   KVFS_GUARDED_BY(mutex_)         a member: read with the lock shared, written with it exclusive
//   KVFS_REQUIRES_LOCK(mutex_)      a function: the caller holds the lock, before and after; the
//                                   function may release it meanwhile, if its comment says so
//   KVFS_REQUIRES_SHARED(mutex_)    the same for a lock held at least shared
//
// The others are for lock types (store/base/mutex.h, lock_rank.h, fair_shared_mutex.h). The check
// sees one function at a time, and knows a lock by the expression that names it. Where it cannot
// follow, AssertHeld() of the lock, or KVFS_NO_THREAD_SAFETY_ANALYSIS on one function, stands with
// the reason. A lambda is a function of its own: it says what it requires, too. Constructors and
// destructors are not checked, as clang takes an object to be one thread's while they run.
//
// (The attributes are clang's: "Thread Safety Analysis" in its manual. LevelDB and Abseil have
// macros for them as well.)
#pragma once

#if defined(__clang__)
#define KVFS_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define KVFS_THREAD_ANNOTATION(attribute)
#endif

#define KVFS_GUARDED_BY(mutex) KVFS_THREAD_ANNOTATION(guarded_by(mutex))
#define KVFS_REQUIRES_LOCK(...) KVFS_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define KVFS_REQUIRES_SHARED(...) KVFS_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))

#define KVFS_CAPABILITY(kind) KVFS_THREAD_ANNOTATION(capability(kind))
#define KVFS_SCOPED_CAPABILITY KVFS_THREAD_ANNOTATION(scoped_lockable)
#define KVFS_ACQUIRE(...) KVFS_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define KVFS_ACQUIRE_SHARED(...) KVFS_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define KVFS_RELEASE(...) KVFS_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define KVFS_RELEASE_SHARED(...) KVFS_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define KVFS_ASSERTS_HELD KVFS_THREAD_ANNOTATION(assert_capability(this))
#define KVFS_ASSERTS_SHARED KVFS_THREAD_ANNOTATION(assert_shared_capability(this))
#define KVFS_RETURNS_LOCK(mutex) KVFS_THREAD_ANNOTATION(lock_returned(mutex))

#define KVFS_NO_THREAD_SAFETY_ANALYSIS KVFS_THREAD_ANNOTATION(no_thread_safety_analysis)
