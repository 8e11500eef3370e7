// The state of a MemoryEnv: names and contents, their synced state, and the pending faults.
//
// Every change of the disk goes through BeginLocked, which counts it, journals it and decides
// whether it fails. Then it is applied to the state that readers see and, until a sync makes it
// durable, kept in the list of unsynced operations, from which crash images are built.
//
// One mutex guards everything; crash images share it, because they share chunks with their
// original. Pointers from View are read without it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <kvfs/env.h>
#include "store/base/mutex.h"
#include "store/env/crash_image.h"
#include "store/env/disk_operation.h"

namespace kvfs {

// Makes one operation fail.
struct DiskFault {
  std::optional<OperationKind> kind = {};  // any kind (but kRead) if not given
  std::string path_contains = {};          // any path if empty
  uint64_t nth = 1;                        // among matching operations from now on; 1 is the next
  ErrorCode code = ErrorCode::kIo;
  bool is_partial = false;  // a Write writes half of its sectors before it fails
  bool lasts = false;       // all later matches fail as well
};

class MemoryDisk {
 public:
  explicit MemoryDisk(std::shared_ptr<Mutex> mutex) : mutex_(std::move(mutex)) {}

  // A disk after a power failure; see CrashChoice.
  std::unique_ptr<MemoryDisk> CrashImage(CrashChoice choice) const;

  // The operations of File and Env, with normalised paths.
  Result<std::shared_ptr<MemoryNode>> Open(const std::string& path);
  Result<std::shared_ptr<MemoryNode>> Create(const std::string& path);
  Result<void> Remove(const std::string& path);
  Result<void> Rename(const std::string& from, const std::string& to);
  Result<void> CreateDirectory(const std::string& path);
  Result<void> RemoveDirectory(const std::string& path);
  Result<void> SyncDirectory(const std::string& path);
  Result<std::vector<std::string>> List(const std::string& path);
  bool Exists(const std::string& path);
  DiskSpace Space() const;

  using Node = std::shared_ptr<MemoryNode>;
  Result<void> Read(const Node& node, const std::string& path, uint64_t offset, MutableBytes out);
  Result<const std::byte*> View(const Node& node, const std::string& path, uint64_t offset,
                                uint64_t length);
  Result<void> Write(const Node& node, const std::string& path, uint64_t offset, Bytes data);
  Result<void> Allocate(const Node& node, const std::string& path, uint64_t offset,
                        uint64_t length);
  Result<void> PunchHole(const Node& node, const std::string& path, uint64_t offset,
                         uint64_t length);
  Result<void> Shorten(const Node& node, const std::string& path, uint64_t size);
  // `seen` counts the file's failed writebacks that were reported to this opener, or happened
  // before it opened the file.
  Result<void> Sync(const Node& node, const std::string& path, uint64_t* seen);
  uint64_t FailedWritebacks(const Node& node) const;
  uint64_t SizeOf(const Node& node) const;
  uint64_t AllocatedOf(const Node& node) const;
  Result<std::vector<FilePart>> BackedPartsOf(const Node& node, uint64_t offset,
                                              uint64_t length) const;
  // Differs after a power failure; stays the same after a crash of the process alone.
  uint64_t run() const { return run_; }

  Result<Node> Lock(const std::string& path, const std::string& holder);
  void DescribeLock(const Node& node, const std::string& holder);
  void Unlock(const std::string& path, const Node& node);
  Result<void> Share(const std::string& path);
  void EndSharing(const std::string& path);

  // Control of faults; see MemoryEnv.
  void FailPowerAt(uint64_t operation, bool is_partial);
  bool has_failed() const;
  void Inject(DiskFault fault);
  void OnSync(std::function<void(const std::string&)> hook);
  size_t PendingFaults() const;
  bool HasLastingFault() const;
  void SetCapacity(uint64_t bytes);
  void SetCopyOnWrite(bool copies);
  void SetTellsBackedParts(bool tells);
  void KillProcess();
  uint64_t Processes() const;
  uint64_t OperationCount() const;
  size_t UnsyncedCount() const;
  std::vector<OperationRecord> Journal() const;

 private:
  using Guard = MutexLock<Mutex>;
  // Why an operation is refused, and whether it is still done in part.
  struct Refusal {
    Error error;
    bool is_partial;
  };

  static tl::unexpected<Error> Refuse(ErrorCode code, const OperationRecord& record,
                                      const std::string& reason);
  static Result<void> RequireWithin(const OperationRecord& record, const MemoryContent& content);
  std::optional<Refusal> BeginLocked(const OperationRecord& record) KVFS_REQUIRES_LOCK(*mutex_);
  std::optional<Refusal> FaultLocked(const OperationRecord& record) KVFS_REQUIRES_LOCK(*mutex_);
  void DoLocked(OperationRecord record, Node node, Bytes data = {}) KVFS_REQUIRES_LOCK(*mutex_);
  Result<void> ChangeNameLocked(OperationRecord record, Node node) KVFS_REQUIRES_LOCK(*mutex_);
  Result<void> ChangeContentLocked(OperationRecord record, const Node& node, Bytes data)
      KVFS_REQUIRES_LOCK(*mutex_);
  using Selection = std::function<bool(const UnsyncedOperation&)>;
  void SettleLocked(const Selection& settles) KVFS_REQUIRES_LOCK(*mutex_);
  void GiveUpLocked(const Selection& concerns) KVFS_REQUIRES_LOCK(*mutex_);
  static void ApplyToSynced(const UnsyncedOperation& operation, MemoryNames* names);
  Result<Node> FindFileLocked(const OperationRecord& record) const KVFS_REQUIRES_LOCK(*mutex_);
  Result<void> RequireFreeNameLocked(const OperationRecord& record) const
      KVFS_REQUIRES_LOCK(*mutex_);
  bool IsDirectoryLocked(const std::string& path) const KVFS_REQUIRES_LOCK(*mutex_);
  uint64_t UsedBytesLocked() const KVFS_REQUIRES_LOCK(*mutex_);

  const std::shared_ptr<Mutex> mutex_;
  static std::atomic<uint64_t> next_run_;
  uint64_t run_ = next_run_++;
  MemoryNames names_ KVFS_GUARDED_BY(*mutex_);
  MemoryNames synced_names_ KVFS_GUARDED_BY(*mutex_);
  std::vector<UnsyncedOperation> unsynced_ KVFS_GUARDED_BY(*mutex_);
  std::vector<OperationRecord> journal_ KVFS_GUARDED_BY(*mutex_);
  std::map<std::string, std::string> lock_holders_ KVFS_GUARDED_BY(*mutex_);  // by path
  std::map<std::string, int> lock_sharers_ KVFS_GUARDED_BY(*mutex_);          // how many, by path
  Error InUse(const std::string& path, const std::string& holder) const;
  std::vector<DiskFault> faults_ KVFS_GUARDED_BY(*mutex_);
  std::function<void(const std::string&)> sync_hook_ KVFS_GUARDED_BY(*mutex_);
  uint64_t capacity_bytes_ KVFS_GUARDED_BY(*mutex_) = uint64_t{1} << 50;
  bool copies_on_write_ KVFS_GUARDED_BY(*mutex_) = false;
  bool tells_backed_parts_ KVFS_GUARDED_BY(*mutex_) = true;
  uint64_t processes_killed_ KVFS_GUARDED_BY(*mutex_) = 0;
  uint64_t power_fails_at_ KVFS_GUARDED_BY(*mutex_) = 0;  // 0: never
  bool is_last_partial_ KVFS_GUARDED_BY(*mutex_) = false;
  bool has_failed_ KVFS_GUARDED_BY(*mutex_) = false;
};

}  // namespace kvfs
