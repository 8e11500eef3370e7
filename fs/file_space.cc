// Space of contents on disk: allocates, frees and finds it; and copies contents inside the store.
//
// Linux allows fallocate and copy_file_range to do less than requested, or to fail half way, so
// large ranges are processed in pieces, each a batch that fits into the store's log.
#include <algorithm>

#include "fs/set_id_bits.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

constexpr uint64_t kAllocatePieceBytes = uint64_t{128} << 20;
// The most that one call copies, so that the reply does not take long.
constexpr uint64_t kMaxCopyBytes = uint64_t{64} << 20;

bool Zeroes(RangeChange change) {
  return change == RangeChange::kZero || change == RangeChange::kZeroKeepingSize;
}

bool KeepsSize(RangeChange change) {
  return change != RangeChange::kAllocate && change != RangeChange::kZero;
}

}  // namespace

Result<Location> StoreFileSystem::LocateContent(InodeNumber inode, uint64_t offset,
                                                uint64_t length) const {
  KVFS_ASSIGN(Location at, Locate(inode));
  if (at.is_directory) return Fail(ErrorCode::kIsDirectory);
  if (offset > kMaxContentBytes || length > kMaxContentBytes - offset) {
    return Fail(ErrorCode::kTooLarge);
  }
  return at;
}

MetaEdit StoreFileSystem::Touch(AttributeBatch& change, const Caller& caller,
                                bool* clears_bits) const {
  return change.Edit([&caller, now = Now(), clears_bits](Attributes& a) {
    const uint32_t mode = a.mode;
    DropPrivilegesOfWritten(a, caller);
    if (clears_bits != nullptr) *clears_bits = a.mode != mode;
    a.mtime = a.ctime = now;
  });
}

Result<void> StoreFileSystem::ChangeRange(InodeNumber inode, uint64_t offset, uint64_t length,
                                          RangeChange kind, const Caller& caller,
                                          const std::function<bool()>& is_interrupted,
                                          bool* cleared_bits) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(Location at, LocateContent(inode, offset, length));
  if (length == 0) return Fail(ErrorCode::kInvalid);
  KVFS_ASSIGN(const InodeInfo before, Load(at.key()));
  if (!before.attributes.IsRegular()) return Fail(ErrorCode::kInvalid);

  const uint64_t end = offset + length;
  if (kind != RangeChange::kPunch) {
    const uint64_t last = KeepsSize(kind) ? std::min(end, before.size_bytes) : end;
    KVFS_TRY(CheckRoom(before, last - std::min(offset, last)));
  }
  const bool punches = kind == RangeChange::kPunch || Zeroes(kind);
  if (punches) {
    lock.unlock();
    KVFS_TRY(CutInParts(inode, [&](Batch& batch, Key key) { batch.Punch(key, offset, length); }));
    lock.lock();
    KVFS_ASSIGN(at, LocateContent(inode, offset, length));
  }
  AttributeBatch first(default_attributes_);
  first.batch().EditMeta(at.key(), Touch(first, caller, cleared_bits));
  if (!KeepsSize(kind) && end > before.size_bytes) first.batch().Resize(at.key(), end);
  if (punches) first.batch().Punch(at.key(), offset, length);
  KVFS_TRY(first.Apply(store_));
  lock.unlock();
  if (kind == RangeChange::kPunch) return {};

  const auto allocated = AllocateInPieces(inode, offset, end, is_interrupted);
  if (allocated || end <= before.size_bytes || KeepsSize(kind)) return allocated;
  // Undo the growth if the allocation failed.
  lock.lock();
  KVFS_ASSIGN(at, LocateContent(inode, offset, length));
  Batch undo;
  undo.Resize(at.key(), before.size_bytes);
  static_cast<void>(store_.Apply(undo));
  return allocated;
}

// Waiting threads get the lock between two parts; the last step is left to the caller.
Result<void> StoreFileSystem::CutInParts(InodeNumber inode,
                                         const std::function<void(Batch&, Key)>& cut) {
  bool has_more = true;
  while (has_more) {
    SharedLock lock(namespace_lock_);
    KVFS_ASSIGN(const Location at, Locate(inode));
    if (at.is_directory) return {};
    Batch batch;
    cut(batch, at.key());
    KVFS_ASSIGN(has_more, store_.ApplyPart(batch));
  }
  return {};
}

// A hopeless allocation must not fill the disk first.
Result<void> StoreFileSystem::CheckRoom(const InodeInfo& file, uint64_t bytes) {
  if (bytes <= kAllocatePieceBytes) return {};
  KVFS_ASSIGN(const SpaceReport space, GetSpace());
  if (bytes > space.available_bytes + file.allocated_bytes) return Fail(ErrorCode::kNoSpace);
  return {};
}

// Waiting threads get the lock between two pieces.
Result<void> StoreFileSystem::AllocateInPieces(InodeNumber inode, uint64_t offset, uint64_t end,
                                               const std::function<bool()>& is_interrupted) {
  for (bool is_first = true; offset < end; is_first = false) {
    if (!is_first && is_interrupted && is_interrupted()) {
      return Fail(ErrorCode::kConflict, "the caller does not wait for it");
    }
    SharedLock lock(namespace_lock_);
    KVFS_ASSIGN(const Location at, LocateContent(inode, offset, end - offset));
    KVFS_ASSIGN(const EntryInfo entry, store_.Stat(at.key()));
    if (offset >= entry.size_bytes) break;
    const uint64_t piece = std::min(kAllocatePieceBytes, std::min(end, entry.size_bytes) - offset);
    Batch batch;
    batch.Allocate(at.key(), offset, piece);
    KVFS_TRY(store_.Apply(batch));
    offset += piece;
  }
  return {};
}

Result<uint64_t> StoreFileSystem::FindRange(InodeNumber inode, uint64_t offset, RangeKind kind) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, LocateContent(inode, std::min(offset, kMaxContentBytes), 0));
  KVFS_ASSIGN(const EntryInfo entry, store_.Stat(at.key()));
  if (offset >= entry.size_bytes) return Fail(ErrorCode::kNotFound);
  if (kind == RangeKind::kHole) return store_.FindHole(at.key(), offset);
  KVFS_ASSIGN(const uint64_t data, store_.FindData(at.key(), offset));
  if (data >= entry.size_bytes) return Fail(ErrorCode::kNotFound);
  return data;
}

Result<uint64_t> StoreFileSystem::CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to,
                                            uint64_t to_offset, uint64_t length,
                                            const Caller& caller, bool* cleared_bits) {
  length = std::min(length, kMaxCopyBytes);
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location from_at, LocateContent(from, from_offset, length));
  KVFS_ASSIGN(const Location to_at, LocateContent(to, to_offset, length));
  AttributeBatch change(default_attributes_);
  auto copied = store_.CopyRange(from_at.key(), from_offset, to_at.key(), to_offset, length,
                                 Touch(change, caller, cleared_bits));
  if (!copied) KVFS_TRY(change.Explain(tl::unexpected(copied.error())));
  return copied;
}

}  // namespace kvfs::fs
