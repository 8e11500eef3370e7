// Contents on a MemoryDisk: reading, writing, allocating, and counting space.

#include <algorithm>
#include <utility>

#include "store/env/memory_disk.h"

namespace kvfs {
namespace {

constexpr uint64_t kSectorBytes = 512;

}  // namespace

Result<void> MemoryDisk::RequireWithin(const OperationRecord& record,
                                       const MemoryContent& content) {
  const uint64_t size = content.size();
  if (record.length <= size && record.offset <= size - record.length) return {};
  return Refuse(ErrorCode::kIo, record, "beyond the end of the file");
}

uint64_t MemoryDisk::UsedBytesLocked() const {
  uint64_t used = 0;
  for (const auto& [path, entry] : names_) {
    if (entry.node) used += entry.node->written.allocated_bytes();
  }
  return used;
}

DiskSpace MemoryDisk::Space() const {
  const Guard guard(*mutex_);
  const uint64_t used = UsedBytesLocked();
  return {capacity_bytes_, capacity_bytes_ - std::min(capacity_bytes_, used)};
}

Result<void> MemoryDisk::Read(const Node& node, const std::string& path, uint64_t offset,
                              MutableBytes out) {
  const Guard guard(*mutex_);
  const OperationRecord record{OperationKind::kRead, path, {}, offset, out.size()};
  if (auto refusal = FaultLocked(record)) return tl::unexpected<Error>(refusal->error);
  KVFS_TRY(RequireWithin(record, node->written));
  node->written.Read(offset, out);
  return {};
}

Result<const std::byte*> MemoryDisk::View(const Node& node, const std::string& path,
                                          uint64_t offset, uint64_t length) {
  const Guard guard(*mutex_);
  const OperationRecord record{OperationKind::kRead, path, {}, offset, length};
  if (auto refusal = FaultLocked(record)) return tl::unexpected<Error>(refusal->error);
  KVFS_TRY(RequireWithin(record, node->written));
  return node->written.View(offset, length);
}

Result<void> MemoryDisk::ChangeContentLocked(OperationRecord record, const Node& node, Bytes data) {
  auto refusal = BeginLocked(record);
  if (!refusal) {
    const bool takes_space =
        record.kind == OperationKind::kWrite || record.kind == OperationKind::kAllocate;
    uint64_t missing = takes_space ? node->written.MissingBytes(record.offset, record.length) : 0;
    if (copies_on_write_ && record.kind == OperationKind::kWrite) {
      missing += node->written.OverwrittenBytes(record.offset, record.length);
    }
    if (missing > 0 && UsedBytesLocked() + missing > capacity_bytes_) {
      return Refuse(ErrorCode::kNoSpace, record, "the disk is full");
    }
    DoLocked(std::move(record), node, data);
    return {};
  }
  const uint64_t half_bytes = data.size() / 2 / kSectorBytes * kSectorBytes;
  if (refusal->is_partial && half_bytes > 0) {
    record.length = half_bytes;
    DoLocked(std::move(record), node, data.first(half_bytes));
  }
  return tl::unexpected<Error>(std::move(refusal->error));
}

Result<void> MemoryDisk::Write(const Node& node, const std::string& path, uint64_t offset,
                               Bytes data) {
  const Guard guard(*mutex_);
  return ChangeContentLocked({OperationKind::kWrite, path, {}, offset, data.size()}, node, data);
}

Result<void> MemoryDisk::Allocate(const Node& node, const std::string& path, uint64_t offset,
                                  uint64_t length) {
  const Guard guard(*mutex_);
  return ChangeContentLocked({OperationKind::kAllocate, path, {}, offset, length}, node, {});
}

Result<void> MemoryDisk::PunchHole(const Node& node, const std::string& path, uint64_t offset,
                                   uint64_t length) {
  const Guard guard(*mutex_);
  return ChangeContentLocked({OperationKind::kPunchHole, path, {}, offset, length}, node, {});
}

Result<void> MemoryDisk::Shorten(const Node& node, const std::string& path, uint64_t size) {
  const Guard guard(*mutex_);
  if (size >= node->written.size()) return {};
  return ChangeContentLocked({OperationKind::kShorten, path, {}, size, node->written.size() - size},
                             node, {});
}

Result<void> MemoryDisk::Sync(const Node& node, const std::string& path, uint64_t* seen) {
  std::function<void(const std::string&)> hook;
  {
    const Guard guard(*mutex_);
    hook = sync_hook_;
  }
  if (hook) hook(path);
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kSync, .path = path};
  const Selection is_of_file = [&](const UnsyncedOperation& operation) {
    return !ChangesNames(operation.record.kind) && operation.node == node;
  };
  if (auto refusal = BeginLocked(record)) {
    if (!has_failed_) GiveUpLocked(is_of_file);
    *seen = ++node->failed_writebacks;
    return tl::unexpected<Error>(refusal->error);
  }
  SettleLocked(is_of_file);
  if (std::exchange(*seen, node->failed_writebacks) == node->failed_writebacks) return {};
  return Refuse(ErrorCode::kIo, record, "an earlier writeback has failed");
}

uint64_t MemoryDisk::FailedWritebacks(const Node& node) const {
  const Guard guard(*mutex_);
  return node->failed_writebacks;
}

uint64_t MemoryDisk::SizeOf(const Node& node) const {
  const Guard guard(*mutex_);
  return node->written.size();
}

uint64_t MemoryDisk::AllocatedOf(const Node& node) const {
  const Guard guard(*mutex_);
  return node->written.allocated_bytes();
}

Result<std::vector<FilePart>> MemoryDisk::BackedPartsOf(const Node& node, uint64_t offset,
                                                        uint64_t length) const {
  constexpr uint64_t kBlock = MemoryContent::kBlockBytes;
  const Guard guard(*mutex_);
  if (!tells_backed_parts_) return Fail(ErrorCode::kUnsupported, "not supported");
  std::vector<FilePart> parts;
  const uint64_t end = std::min(offset + length, node->written.size());
  for (uint64_t at = offset; at < end;) {
    const uint64_t next = std::min(end, (at / kBlock + 1) * kBlock);
    const bool follows = !parts.empty() && parts.back().offset + parts.back().length == at;
    if (!node->written.HasBlock(at)) {
    } else if (follows) {
      parts.back().length += next - at;
    } else {
      parts.push_back({at, next - at});
    }
    at = next;
  }
  return parts;
}

}  // namespace kvfs
