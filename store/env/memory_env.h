// An Env in memory, for tests: keeps written and synced state apart, down to single writes, loses
// power on demand, and builds every disk that a power failure may leave.
//
//   MemoryEnv env;
//   env.FailPowerAt(n);               // the n-th change and all after it fail with kIo
//   ... run a store until it fails ...
//   auto image = env.CrashImage({CrashChoice::Kind::kTorn, seed});
//   ... open the store in *image ...
//
// "Operations" below are those that change the disk: everything but reading, listing and opening.
// Taking a lock counts if it creates the file.
//
// A failing Sync or SyncDirectory behaves as on Linux. The caller gets the error, and so does each
// other opener of the file, once, at its next Sync; later openers do not. The bytes stay readable
// in the cache, but count as written: no later Sync makes them durable, unless their 4 KiB page is
// written again. A power failure leaves any subset of them.
//
// Differences from PosixEnv: views must not span a multiple of 64 KiB (the program ends with a
// message), and files can be renamed within their directory only (kInvalid). Thread-safe.
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

  // Returns a separate disk, in a state that a power failure now may leave. This disk is unchanged.
  std::unique_ptr<MemoryEnv> CrashImage(CrashChoice choice) const;
  // Number of operations that a power failure now may undo: prefixes of CrashChoice go from 0 to
  // this.
  size_t UnsyncedCount() const;

  // Makes the power fail at the given operation, counted from 1 since the env was created: it and
  // all later ones fail with kIo and change nothing, except that with `is_partial` half of the
  // sectors of a Write reach the file. 0: never. Reading still works.
  void FailPowerAt(uint64_t operation, bool is_partial = false);
  bool HasPowerFailed() const;

  // Simulates a kill of the process: files open now can no longer be changed or synced, its locks
  // are released, and the power is back if it had failed. All written bytes are there, even those
  // that no sync will make durable.
  void KillProcess();

  // Makes one later operation (or, for kRead, one Read or View) fail; it then changes nothing,
  // unless the fault is partial. Several faults may be pending at once.
  void InjectFault(DiskFault fault);
  size_t PendingFaults() const;
  // True once a lasting fault has occurred.
  bool HasLastingFault() const;
  // Calls `hook` with the file's path at the beginning of each Sync, on the syncing thread; the
  // hook may use the disk. Set it while no Sync is running.
  void OnSync(std::function<void(const std::string& path)> hook);

  // Sets the space for contents, in bytes of whole 4 KiB blocks; writes and allocations beyond it
  // fail with kNoSpace.
  void SetCapacity(uint64_t bytes);
  // Whether overwriting bytes needs as much free space as they occupy, temporarily. The first write
  // to allocated bytes needs none.
  void SetCopyOnWrite(bool copies);
  // Whether BackedParts is supported, as on ext4, or not, as on tmpfs.
  void SetTellsBackedParts(bool tells);

  // Advances the clock, which stands still otherwise.
  void PassSeconds(uint64_t seconds) { seconds_ += seconds; }

  // Number of operations so far, up to the power failure, including failed ones.
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
