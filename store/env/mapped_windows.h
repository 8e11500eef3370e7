// A file's read-only mapping, in windows of equal length that are mapped at first use. They are
// long, so that few are needed, unless the process's address space is limited (RLIMIT_AS): then
// they are short enough for many files to have some.
//
// A window is mapped whole, even beyond the end of the file: addresses stay valid while the file
// grows into it, and show pwrite(2)'s bytes at once (Linux, local file systems). A read-only
// mapping can be neither corrupted by stray writes nor fault for lack of disk space; the remaining
// faults are handled by the fault guard. The kernel's default read-ahead is kept: it serves long
// values, and its waste on small ones is read only while memory is plentiful.
//
// A two-level table of atomic pointers holds the windows: finding one takes two loads and no lock.
// Threads that map the same window at once agree by compare-and-swap.
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
  // A process can address at most 2^17 windows of 1 GiB; shorter ones allow more.
  static constexpr size_t kGroups = 512;
  static constexpr size_t kGroupWindows = 2048;

  explicit MappedWindows(uint64_t window_bytes) : window_bytes_(window_bytes) {}
  MappedWindows(const MappedWindows&) = delete;
  MappedWindows& operator=(const MappedWindows&) = delete;
  ~MappedWindows();

  // The window length for a process whose address space, shared by many files, is limited to
  // `address_space_bytes` (~0: no limit): a power of two from 64 KiB to 1 GiB.
  static uint64_t WindowBytesWithin(uint64_t address_space_bytes);
  // The same for this process's current limit.
  static uint64_t WindowBytesNow();

  uint64_t window_bytes() const { return window_bytes_; }

  // Address of the file's byte `offset`. `descriptor` is the file, `path` its name for messages.
  // kTooLarge beyond the last window; kUnavailable if the process cannot map more. Any thread.
  Result<const std::byte*> At(uint64_t offset, int descriptor, const std::string& path);

  // Maps the file again over pages in the range that had been replaced by zeros. Call it after the
  // range has been written or read. Free as long as there was no fault. kUnavailable if the process
  // cannot map more: zeros stay.
  Result<void> Restore(uint64_t offset, uint64_t length, int descriptor, const std::string& path);

  // Number of unreadable pages that were replaced by zeros.
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
