// Counting operations, letting them fail, doing them, and making them last.

#include "store/env/memory_disk.h"

#include <algorithm>

namespace kvfs {
namespace {

bool Matches(const DiskFault& fault, const OperationRecord& record) {
  const bool is_kind =
      fault.kind ? *fault.kind == record.kind : record.kind != OperationKind::kRead;
  return is_kind && record.path.find(fault.path_contains) != std::string::npos;
}

}  // namespace

std::atomic<uint64_t> MemoryDisk::next_run_ = 1;

std::unique_ptr<MemoryDisk> MemoryDisk::CrashImage(CrashChoice choice) const {
  const Guard guard(*mutex_);
  auto image = std::make_unique<MemoryDisk>(mutex_);
  image->synced_names_ = BuildCrashImage(synced_names_, unsynced_, choice);
  image->names_ = image->synced_names_;
  image->capacity_bytes_ = capacity_bytes_;
  if (choice.kind == CrashChoice::Kind::kAll) image->run_ = run_;
  return image;
}

// Faults, and the journal.

tl::unexpected<Error> MemoryDisk::Refuse(ErrorCode code, const OperationRecord& record,
                                         const std::string& reason) {
  return Fail(code, DescribeOperation(record) + ": " + reason);
}

std::optional<MemoryDisk::Refusal> MemoryDisk::BeginLocked(const OperationRecord& record) {
  if (has_failed_) return Refusal{{ErrorCode::kIo, "power has failed"}, false};
  journal_.push_back(record);
  if (journal_.size() == power_fails_at_) {
    has_failed_ = true;
    return Refusal{{ErrorCode::kIo, DescribeOperation(record) + ": power fails"}, is_last_partial_};
  }
  return FaultLocked(record);
}

// Every fault counts what matches it, also operations that another fault makes fail.
std::optional<MemoryDisk::Refusal> MemoryDisk::FaultLocked(const OperationRecord& record) {
  std::optional<Refusal> refusal;
  std::erase_if(faults_, [&](DiskFault& fault) {
    if (!Matches(fault, record)) return false;
    if (fault.nth > 0 && --fault.nth > 0) return false;
    refusal = {{fault.code, DescribeOperation(record) + ": injected fault"}, fault.is_partial};
    return !fault.lasts;
  });
  return refusal;
}

void MemoryDisk::FailPowerAt(uint64_t operation, bool is_partial) {
  const Guard guard(*mutex_);
  power_fails_at_ = operation;
  is_last_partial_ = is_partial;
}

bool MemoryDisk::has_failed() const {
  const Guard guard(*mutex_);
  return has_failed_;
}

void MemoryDisk::Inject(DiskFault fault) {
  const Guard guard(*mutex_);
  faults_.push_back(std::move(fault));
}

void MemoryDisk::OnSync(std::function<void(const std::string&)> hook) {
  const Guard guard(*mutex_);
  sync_hook_ = std::move(hook);
}

size_t MemoryDisk::PendingFaults() const {
  const Guard guard(*mutex_);
  return faults_.size();
}

bool MemoryDisk::HasLastingFault() const {
  const Guard guard(*mutex_);
  return std::ranges::any_of(faults_, [](const DiskFault& fault) { return fault.nth == 0; });
}

void MemoryDisk::SetCapacity(uint64_t bytes) {
  const Guard guard(*mutex_);
  capacity_bytes_ = bytes;
}

void MemoryDisk::KillProcess() {
  const Guard guard(*mutex_);
  ++processes_killed_;
  lock_holders_.clear();
}

uint64_t MemoryDisk::Processes() const {
  const Guard guard(*mutex_);
  return processes_killed_;
}

uint64_t MemoryDisk::OperationCount() const {
  const Guard guard(*mutex_);
  return journal_.size();
}

size_t MemoryDisk::UnsyncedCount() const {
  const Guard guard(*mutex_);
  return unsynced_.size();
}

std::vector<OperationRecord> MemoryDisk::Journal() const {
  const Guard guard(*mutex_);
  return journal_;
}

// Doing and settling.

void MemoryDisk::DoLocked(OperationRecord record, Node node, Bytes data) {
  UnsyncedOperation operation{std::move(record), std::move(node), {data.begin(), data.end()}};
  if (ChangesNames(operation.record.kind)) {
    ApplyToNames(operation, names_);
  } else {
    ApplyToContent(operation, operation.node->written);
  }
  unsynced_.push_back(std::move(operation));
}

// Makes the operations that a sync reaches part of what lasts, in their order.
void MemoryDisk::SettleLocked(const std::function<bool(const UnsyncedOperation&)>& settles) {
  std::erase_if(unsynced_, [&](const UnsyncedOperation& operation) {
    if (!settles(operation)) return false;
    if (ChangesNames(operation.record.kind)) {
      ApplyToNames(operation, synced_names_);
    } else {
      ApplyToContent(operation, operation.node->synced);
    }
    return true;
  });
}

}  // namespace kvfs
