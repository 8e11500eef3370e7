// MemoryEnv's files and locks: thin wrappers of MemoryDisk.

#include "store/env/memory_env.h"

#include <string_view>

#include "store/base/sticky_failure.h"

namespace kvfs {
namespace {

// "/a//b/./c/" -> "a/b/c": one name for each file.
std::string Normal(std::string_view path) {
  std::string normal;
  while (!path.empty()) {
    const size_t length = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, length);
    path.remove_prefix(std::min(length + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (!normal.empty()) normal += '/';
    normal += part;
  }
  return normal;
}

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryDisk> disk, MemoryDisk::Node node, std::string path,
             Access access)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        path_(std::move(path)),
        access_(access),
        process_(disk_->Processes()),
        seen_failures_(disk_->FailedWritebacks(node_)) {}

  void MapForWriting(uint64_t) override {}
  Result<void> Read(uint64_t offset, MutableBytes out) const override {
    return disk_->Read(node_, path_, offset, out);
  }
  Result<void> Write(uint64_t offset, Bytes data) override {
    KVFS_TRY(RequireWritable());
    return data.empty() ? Result<void>() : NoteFailure(disk_->Write(node_, path_, offset, data));
  }
  Result<const std::byte*> View(uint64_t offset, uint64_t length) const override {
    return disk_->View(node_, path_, offset, length);
  }
  Result<void> RefreshView(uint64_t offset, uint64_t length) const override {
    std::vector<std::byte> bytes(length);
    return Read(offset, bytes);
  }
  Result<void> Allocate(uint64_t offset, uint64_t length) override {
    KVFS_TRY(RequireWritable());
    return length == 0 ? Result<void>()
                       : NoteFailure(disk_->Allocate(node_, path_, offset, length));
  }
  Result<void> PunchHole(uint64_t offset, uint64_t length) override {
    KVFS_TRY(RequireWritable());
    return length == 0 ? Result<void>()
                       : NoteFailure(disk_->PunchHole(node_, path_, offset, length));
  }
  Result<void> Shorten(uint64_t size) override {
    KVFS_TRY(RequireWritable());
    return NoteFailure(disk_->Shorten(node_, path_, size));
  }
  Result<void> Sync() override {
    const MutexLock one_at_a_time(syncing_);
    KVFS_TRY(RequireAlive());
    KVFS_TRY(failure_.Check());
    auto synced = disk_->Sync(node_, path_, &seen_failures_);
    if (synced) return {};
    return failure_.Note({ErrorCode::kIo, std::move(synced).error().message});
  }
  bool IsSuspect() const override { return failure_.has_failed(); }
  Result<uint64_t> SizeBytes() const override { return disk_->SizeOf(node_); }
  Result<uint64_t> AllocatedBytes() const override { return disk_->AllocatedOf(node_); }
  Result<std::vector<FilePart>> BackedParts(uint64_t offset, uint64_t length) const override {
    return disk_->BackedPartsOf(node_, offset, length);
  }
  uint64_t ViewWindowBytes() const override { return MemoryContent::kChunkBytes; }
  std::string Residence() const override { return std::to_string(disk_->run()) + " " + path_; }

 private:
  Result<void> RequireAlive() const {
    if (disk_->Processes() == process_) return {};
    return Fail(ErrorCode::kIo, "cannot change " + path_ + ": the process was killed");
  }
  Result<void> RequireWritable() const {
    KVFS_TRY(RequireAlive());
    KVFS_TRY(failure_.Check());
    if (access_ == Access::kReadWrite) return {};
    return Fail(ErrorCode::kPermission, "cannot change " + path_ + ": it is open for reading");
  }
  // A change that fails for lack of space leaves everything as it was.
  Result<void> NoteFailure(Result<void> changed) {
    if (changed || changed.error().code != ErrorCode::kIo) return changed;
    return failure_.Note(std::move(changed).error());
  }

  const std::shared_ptr<MemoryDisk> disk_;
  const MemoryDisk::Node node_;
  const std::string path_;
  const Access access_;
  const uint64_t process_;  // of how many this is one
  StickyFailure failure_;
  Mutex syncing_;
  uint64_t seen_failures_ KVFS_GUARDED_BY(syncing_);
};

class MemorySharedLock final : public FileLock {
 public:
  MemorySharedLock(std::shared_ptr<MemoryDisk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)) {}
  ~MemorySharedLock() override { disk_->EndSharing(path_); }
  Result<void> Describe(const std::string&) override { return {}; }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
  const std::string path_;
};

class MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<MemoryDisk> disk, MemoryDisk::Node node, std::string path)
      : disk_(std::move(disk)), node_(std::move(node)), path_(std::move(path)) {}
  ~MemoryLock() override { disk_->Unlock(path_, node_); }

  Result<void> Describe(const std::string& holder) override {
    disk_->DescribeLock(node_, holder);
    return {};
  }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
  const MemoryDisk::Node node_;
  const std::string path_;
};

}  // namespace

MemoryEnv::MemoryEnv() : MemoryEnv(std::make_shared<MemoryDisk>(std::make_shared<Mutex>())) {}
MemoryEnv::MemoryEnv(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}
MemoryEnv::~MemoryEnv() = default;

std::unique_ptr<MemoryEnv> MemoryEnv::CrashImage(CrashChoice choice) const {
  return std::unique_ptr<MemoryEnv>(new MemoryEnv(disk_->CrashImage(choice)));
}

size_t MemoryEnv::UnsyncedCount() const { return disk_->UnsyncedCount(); }
void MemoryEnv::FailPowerAt(uint64_t operation, bool is_partial) {
  disk_->FailPowerAt(operation, is_partial);
}
bool MemoryEnv::HasPowerFailed() const { return disk_->has_failed(); }
void MemoryEnv::InjectFault(DiskFault fault) { disk_->Inject(std::move(fault)); }
bool MemoryEnv::HasLastingFault() const { return disk_->HasLastingFault(); }

void MemoryEnv::OnSync(std::function<void(const std::string&)> hook) {
  disk_->OnSync(std::move(hook));
}
size_t MemoryEnv::PendingFaults() const { return disk_->PendingFaults(); }
void MemoryEnv::KillProcess() { disk_->KillProcess(); }
void MemoryEnv::SetCopyOnWrite(bool copies) { disk_->SetCopyOnWrite(copies); }
void MemoryEnv::SetTellsBackedParts(bool tells) { disk_->SetTellsBackedParts(tells); }
void MemoryEnv::SetCapacity(uint64_t bytes) { disk_->SetCapacity(bytes); }
uint64_t MemoryEnv::OperationCount() const { return disk_->OperationCount(); }
std::vector<OperationRecord> MemoryEnv::Journal() const { return disk_->Journal(); }

Result<std::unique_ptr<File>> MemoryEnv::OpenFile(const std::string& path, Access access) {
  KVFS_ASSIGN(auto node, disk_->Open(Normal(path)));
  return std::make_unique<MemoryFile>(disk_, std::move(node), Normal(path), access);
}

Result<std::unique_ptr<File>> MemoryEnv::CreateFile(const std::string& path) {
  KVFS_ASSIGN(auto node, disk_->Create(Normal(path)));
  return std::make_unique<MemoryFile>(disk_, std::move(node), Normal(path), Access::kReadWrite);
}

Result<void> MemoryEnv::RemoveFile(const std::string& path) { return disk_->Remove(Normal(path)); }

Result<void> MemoryEnv::RenameFile(const std::string& from, const std::string& to) {
  return disk_->Rename(Normal(from), Normal(to));
}

Result<void> MemoryEnv::CreateDirectory(const std::string& path) {
  return disk_->CreateDirectory(Normal(path));
}

Result<void> MemoryEnv::RemoveDirectory(const std::string& path) {
  return disk_->RemoveDirectory(Normal(path));
}

Result<void> MemoryEnv::SyncDirectory(const std::string& path) {
  return disk_->SyncDirectory(Normal(path));
}

Result<std::vector<std::string>> MemoryEnv::ListDirectory(const std::string& path) {
  return disk_->List(Normal(path));
}

Result<bool> MemoryEnv::Exists(const std::string& path) { return disk_->Exists(Normal(path)); }

Result<DiskSpace> MemoryEnv::GetDiskSpace(const std::string&) { return disk_->Space(); }

Result<std::unique_ptr<FileLock>> MemoryEnv::LockFile(const std::string& path,
                                                      const std::string& holder) {
  KVFS_ASSIGN(auto node, disk_->Lock(Normal(path), holder));
  auto lock = std::make_unique<MemoryLock>(disk_, std::move(node), Normal(path));
  KVFS_TRY(lock->Describe(holder));
  return lock;
}

Result<std::unique_ptr<FileLock>> MemoryEnv::ShareLock(const std::string& path) {
  KVFS_TRY(disk_->Share(Normal(path)));
  return std::make_unique<MemorySharedLock>(disk_, Normal(path));
}

}  // namespace kvfs
