// A file of the real file system.
//
// Reads use pread(2), writes pwrite(2), views MappedWindows. After MapForWriting small writes are
// stores into a mapping, at a twentieth of the time of a system call. A store cannot report a
// failed or full disk, but the fault guard counts it. After one fault some pages of the mapping are
// no longer the file's: the mapping is not written through any more, and pwrite(2) reports the
// error.
//
// A failed sync is final, and so is a change that fails for any reason but lack of disk space or
// memory (store/base/sticky_failure.h). Syncs run one at a time: the system would report a failure
// to only one of two concurrent ones.
//
// `known_size_` never exceeds the file's size. Operations within it take no lock; those beyond it
// take `growth_`, so that an Allocate that fails half way can truncate the file without cutting off
// bytes that another thread has just appended.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include <kvfs/env.h>
#include "store/base/mutex.h"
#include "store/base/sticky_failure.h"
#include "store/env/mapped_windows.h"
#include "store/env/posix_error.h"

namespace kvfs {

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor, uint64_t size)
      : File(&windows_.faults()),
        path_(std::move(path)),
        descriptor_(std::move(descriptor)),
        known_size_(size),
        windows_(MappedWindows::WindowBytesNow()) {}

  ~PosixFile() override;

  void MapForWriting(uint64_t length) override;
  Result<void> Read(uint64_t offset, MutableBytes out) const override;
  Result<void> Write(uint64_t offset, Bytes data) override;
  Result<const std::byte*> View(uint64_t offset, uint64_t length) const override;
  Result<void> RefreshView(uint64_t offset, uint64_t length) const override;
  Result<void> Allocate(uint64_t offset, uint64_t length) override;
  Result<void> PunchHole(uint64_t offset, uint64_t length) override;
  Result<void> Shorten(uint64_t size) override;
  Result<void> Sync() override;
  Result<uint64_t> SizeBytes() const override;
  Result<uint64_t> AllocatedBytes() const override;
  Result<std::vector<FilePart>> BackedParts(uint64_t offset, uint64_t length) const override;
  uint64_t ViewWindowBytes() const override { return windows_.window_bytes(); }
  std::string Residence() const override;
  bool IsSuspect() const override { return failure_.has_failed() || write_faults_ != 0; }

 private:
  Result<void> WriteFully(uint64_t offset, Bytes data);
  bool WriteMapped(uint64_t offset, Bytes data);
  Result<void> WriteBySystemCall(uint64_t offset, Bytes data);
  Result<void> Reserve(uint64_t offset, uint64_t length, uint64_t size);
  Result<void> FillWithZeros(uint64_t offset, uint64_t end);
  void CutBack(uint64_t size);
  Result<bool> Holds(uint64_t offset, uint64_t length) const;
  void RaiseKnownSize(uint64_t size) const;
  tl::unexpected<Error> Failure(const char* operation, int number) const {
    return PosixError(operation, path_, number);
  }
  tl::unexpected<Error> ChangeFailure(const char* operation, int number);
  int descriptor() const { return descriptor_.number(); }

  const std::string path_;
  const Descriptor descriptor_;
  StickyFailure failure_;
  Mutex syncing_;  // held across a sync
  Mutex growth_;
  mutable std::atomic<uint64_t> known_size_;
  mutable MappedWindows windows_;
  std::byte* write_map_ = nullptr;
  uint64_t write_map_bytes_ = 0;
  std::atomic<uint64_t> write_faults_{0};
  std::optional<GuardedWindow> write_guard_;
};

}  // namespace kvfs
