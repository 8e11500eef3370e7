// Counts operations, makes them fail, applies them, and makes them durable.

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
  image->mutex_->AssertHeld();  // it is the same mutex
  image->synced_names_ = BuildCrashImage(synced_names_, unsynced_, choice);
  image->names_ = image->synced_names_;
  image->capacity_bytes_ = capacity_bytes_;
  if (choice.kind == CrashChoice::Kind::kAll) image->run_ = run_;
  image->copies_on_write_ = copies_on_write_;
  image->tells_backed_parts_ = tells_backed_parts_;
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

// Every fault counts its matches, including operations that another fault makes fail.
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

void MemoryDisk::SetCopyOnWrite(bool copies) {
  const Guard guard(*mutex_);
  copies_on_write_ = copies;
}

void MemoryDisk::SetTellsBackedParts(bool tells) {
  const Guard guard(*mutex_);
  tells_backed_parts_ = tells;
}

void MemoryDisk::KillProcess() {
  const Guard guard(*mutex_);
  ++processes_killed_;
  lock_holders_.clear();
  power_fails_at_ = 0;
  has_failed_ = false;
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

void MemoryDisk::ApplyToSynced(const UnsyncedOperation& operation, MemoryNames* names) {
  if (ChangesNames(operation.record.kind)) {
    ApplyToNames(operation, *names);
  } else {
    ApplyToContent(operation, operation.node->synced);
  }
}

// Makes the operations that a sync covers durable, in order. Given-up operations stay given up,
// unless a later one makes the system write the same page again, as a whole.
void MemoryDisk::SettleLocked(const Selection& settles) {
  std::vector<UnsyncedOperation> rest;
  for (UnsyncedOperation& operation : unsynced_) {
    if (operation.is_given_up || !settles(operation)) {
      rest.push_back(std::move(operation));
      continue;
    }
    std::erase_if(rest, [&](const UnsyncedOperation& earlier) {
      const bool is_written = earlier.is_given_up && WritesAgain(operation, earlier);
      if (is_written) ApplyToSynced(earlier, &synced_names_);
      return is_written;
    });
    ApplyToSynced(operation, &synced_names_);
  }
  unsynced_ = std::move(rest);
}

// A sync of these operations has failed. Operations other than writes of bytes or names, such as
// allocations, go through the file system's journal, and are not given up.
void MemoryDisk::GiveUpLocked(const Selection& concerns) {
  std::vector<UnsyncedOperation> all;
  for (UnsyncedOperation& operation : unsynced_) {
    const OperationRecord& record = operation.record;
    const bool is_write = record.kind == OperationKind::kWrite;
    const bool is_forgotten = is_write || ChangesNames(record.kind);
    if (operation.is_given_up || !is_forgotten || !concerns(operation)) {
      all.push_back(std::move(operation));
      continue;
    }
    operation.is_given_up = true;
    if (!is_write) {
      all.push_back(std::move(operation));
      continue;
    }
    for (uint64_t at = 0; at < record.length;) {
      const uint64_t page_end =
          (record.offset + at) / kSystemPageBytes * kSystemPageBytes + kSystemPageBytes;
      const uint64_t count = std::min(record.length - at, page_end - record.offset - at);
      UnsyncedOperation piece = operation;
      piece.record.offset = record.offset + at;
      piece.record.length = count;
      const Bytes data = Bytes(operation.data).subspan(at, count);
      piece.data.assign(data.begin(), data.end());
      all.push_back(std::move(piece));
      at += count;
    }
  }
  unsynced_ = std::move(all);
}

}  // namespace kvfs
