// A file's read-only mapping, in windows of one length that are mapped when first asked for. They
// are long, so that few are needed, unless the process may not address much (RLIMIT_AS): then as
// short as lets many files have some.
//
// A window is mapped whole, also beyond the end of the file: addresses stay valid while the file
// grows into it, and show what pwrite(2) has written at once (Linux, local file systems). A
// read-only mapping can neither be scribbled on nor fault for want of disk space; the faults that
// remain are the FaultGuard's. The kernel's default read-ahead is kept: it serves long values, and
// what it wastes on small ones is only read when memory is plentiful.
//
// The windows stand in a two-level table of atomic pointers: finding one takes two loads and no
// lock. Threads that map the same window at once agree by compare-and-swap.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <kvfs/status.h>
#include "store/env/fault_guard.h"

namespace kvfs {

class MappedWindows {
 public:
  // 2^17 windows of 1 GiB are all that a process can address; of shorter ones it gets more.
  static constexpr size_t kGroups = 512;
  static constexpr size_t kGroupWindows = 2048;

  explicit MappedWindows(uint64_t window_bytes) : window_bytes_(window_bytes) {}
  MappedWindows(const MappedWindows&) = delete;
  MappedWindows& operator=(const MappedWindows&) = delete;
  ~MappedWindows();

  // How long a window may be for a process that may address so many bytes, which serve many files:
  // 64 KiB to 1 GiB, a power of two. ~0 is no limit.
  static uint64_t WindowBytesWithin(uint64_t address_space_bytes);
  // The same for this process as it is limited now.
  static uint64_t WindowBytesNow();

  uint64_t window_bytes() const { return window_bytes_; }

  // Address of the file's byte `offset`. `descriptor` is the file, `path` its name for messages.
  // kTooLarge beyond the last window; kUnavailable when the process can map no more. Any thread.
  Result<const std::byte*> At(uint64_t offset, int descriptor, const std::string& path);

  // Shows the file again in the range, where zeros took the place of pages that could not be read.
  // To be called after the range was written or read. Costs nothing as long as there was no fault.
  // kUnavailable where the process can map no more: zeros stay.
  Result<void> Restore(uint64_t offset, uint64_t length, int descriptor, const std::string& path);

  // Pages that could not be read and were replaced by zeros.
  const std::atomic<uint64_t>& faults() const { return faults_; }

 private:
  struct Window;
  using Group = std::array<std::atomic<Window*>, kGroupWindows>;

  Group& GroupAt(size_t index);
  Window* Find(uint64_t number) const;
  Result<Window*> Map(uint64_t number, int descriptor, const std::string& path);

  const uint64_t window_bytes_;
  std::array<std::atomic<Group*>, kGroups> groups_{};
  std::atomic<uint64_t> faults_{0};
};

}  // namespace kvfs
