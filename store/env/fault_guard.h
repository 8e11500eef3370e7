// Keeps a failed access to mapped memory from killing the process.
//
// If the disk cannot deliver a page of a mapped file, or another process has truncated the file,
// the kernel raises SIGBUS at the reading instruction. The guard's handler finds the guarded window
// of the address, maps a page of zeros there and lets the reader go on: the zeros fail their
// checksum, and the reader reports damage as for any other wrong byte (P5, P7). Writes to a
// mapping, when the disk is full or fails, are handled in the same way; the writer checks the count
// of faults afterwards. A SIGBUS anywhere else goes to the previous handler.
//
// A signal handler belongs to the process, so the guard is process-wide: the one piece of global
// state that the operating system forces on us. The first window installs it.
//
// The windows are in a list of slots that only grows and is read without a lock, because a handler
// must not wait; adding and removing a window takes a mutex. INVARIANT: a slot's `begin` is 0 while
// its other fields change.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kvfs {

// Guards `length` bytes of mapping at `begin` while it lives; must be destroyed before they are
// unmapped. `faults` counts the replaced pages. `begin` and `length` are multiples of the page
// size.
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
