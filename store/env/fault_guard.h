// Keeps a failed access to mapped memory from ending the process.
//
// When the disk cannot deliver a page of a mapped file, or somebody else has cut the file short,
// the kernel raises SIGBUS at the reading instruction. The guard's handler finds the guarded window
// that holds the address, puts a page of zeros there and lets the reader go on: it will find that
// the zeros do not match their checksum, and report damage as for any other wrong byte (P5, P7).
// Writing to a mapping, when the disk has no room or fails, is met in the same way; whoever writes
// looks at the count of faults afterwards. A SIGBUS anywhere else goes to whoever handled it
// before.
//
// A signal's handler belongs to the process, so the guard is process-wide: the one piece of global
// state that the operating system forces on us. It is installed with the first window.
//
// The windows stand in a list of slots that only grows and is read without a lock, because a
// handler must not wait; entering and leaving it takes a mutex. INVARIANT: a slot's `begin` is 0
// while its other fields change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kvfs {

// Guards `length` bytes of mapping at `begin` while it lives; must end before they are unmapped.
// `faults` counts the pages that were replaced. Window and length are whole pages.
class GuardedWindow {
 public:
  enum class Use { kRead, kWrite };
  GuardedWindow(const void* begin, size_t length, std::atomic<uint64_t>& faults,
                Use use = Use::kRead);
  GuardedWindow(const GuardedWindow&) = delete;
  GuardedWindow& operator=(const GuardedWindow&) = delete;
  ~GuardedWindow();

 private:
  struct FaultSlot& slot_;
};

}  // namespace kvfs
