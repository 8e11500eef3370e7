// An Env in memory, for tests: keeps what was written and what was synced apart, down to single
// writes, loses power when told to, and shows every disk that a power failure may leave.
//
//   MemoryEnv env;
//   env.FailPowerAt(n);               // the n-th change and all after it fail with kIo
//   ... run a store until it fails ...
//   auto image = env.CrashImage({CrashChoice::Kind::kTorn, seed});
//   ... open the store in *image ...
//
// "Operations" below are those that change the disk: everything but reading, listing and opening.
// Taking a lock counts as one where it creates the file.
//
// A Sync or SyncDirectory that fails does what Linux does. The caller is told, and each other
// opener of the file once, at its next Sync; one that opens it later is not. The bytes stay in the
// cache, for all to read, but are taken for written: no later Sync makes them last, unless the page
// of 4 KiB is written again. What of them a power failure leaves is any subset.
//
// Differences from the real one: views must not span a multiple of 64 KiB (the program ends with a
// message), and files are renamed within their directory only (kInvalid). Any thread may call
// anything at any time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <kvfs/env.h>
#include "store/env/crash_image.h"
#include "store/env/memory_disk.h"

namespace kvfs {

class MemoryEnv final : public Env {
 public:
  MemoryEnv();
  ~MemoryEnv() override;

  // A disk of its own, as a power failure now may leave this one. This one goes on as it was.
  std::unique_ptr<MemoryEnv> CrashImage(CrashChoice choice) const;
  // Operations whose effect a power failure now may undo: CrashChoice's prefixes are 0 to this.
  size_t UnsyncedCount() const;

  // Lets the power fail at the given operation, counted from 1 since the env was made: it and all
  // later ones fail with kIo and change nothing, except that with `is_partial` half of the sectors
  // of a Write reach the file. 0: never. Reading goes on as before.
  void FailPowerAt(uint64_t operation, bool is_partial = false);
  bool HasPowerFailed() const;

  // Files that are open now cannot be changed or synced any more, as if their process had been
  // killed; the locks that it held are free, and a disk without power has it again. What was
  // written is there, also what no sync will make last.
  void KillProcess();

  // Makes one later operation (or, for kRead, one Read or View) fail; it then changes nothing,
  // unless the fault is partial. Several may wait at once.
  void InjectFault(DiskFault fault);
  size_t PendingFaults() const;
  // True once one that lasts has struck.
  bool HasLastingFault() const;
  // Calls `hook` with the file's path at the beginning of each Sync, on the thread that syncs; the
  // hook may use the disk. To be set while nobody syncs.
  void OnSync(std::function<void(const std::string& path)> hook);

  // Space for contents, in blocks of 4 KiB; writes and allocations beyond it fail with kNoSpace.
  void SetCapacity(uint64_t bytes);
  // Whether writing over bytes needs as much room, for a while, as they take: also where they were
  // allocated, but for the first time.
  void SetCopyOnWrite(bool copies);
  // Whether BackedParts is answered, as by ext4, or not, as by tmpfs.
  void SetTellsBackedParts(bool tells);

  // Time passes only so.
  void PassSeconds(uint64_t seconds) { seconds_ += seconds; }

  // Operations so far, those that failed included, up to the power failure.
  uint64_t OperationCount() const;
  std::vector<OperationRecord> Journal() const;

  Result<std::unique_ptr<File>> OpenFile(const std::string& path,
                                         Access access = Access::kReadWrite) override;
  Result<std::unique_ptr<File>> CreateFile(const std::string& path) override;
  Result<void> RemoveFile(const std::string& path) override;
  Result<void> RenameFile(const std::string& from, const std::string& to) override;
  Result<void> CreateDirectory(const std::string& path) override;
  Result<void> RemoveDirectory(const std::string& path) override;
  Result<void> SyncDirectory(const std::string& path) override;
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<DiskSpace> GetDiskSpace(const std::string& path) override;
  uint64_t Seconds() const override { return seconds_; }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path,
                                             const std::string& holder) override;
  Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) override;

 private:
  explicit MemoryEnv(std::shared_ptr<MemoryDisk> disk);

  const std::shared_ptr<MemoryDisk> disk_;  // shared with open files and locks
  std::atomic<uint64_t> seconds_ = 0;
};

}  // namespace kvfs
