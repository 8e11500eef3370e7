// Joins the parts of a shard, and takes its steps of a checkpoint.
#include "store/shard/shard.h"

#include <algorithm>
#include <optional>

#include "store/alloc/allocator_writer.h"
#include "store/base/contract.h"
#include "store/base/retry.h"

namespace kvfs {

using format::ShardRoot;

namespace {

// Each fresh block takes memory; a block not recorded as fresh is written to a new place instead.
constexpr size_t kMaxFresh = size_t{1} << 16;
// Records that changes which free space can write on a full disk, wherever they fall, before a
// checkpoint must make the freed space reusable. Unlinking the last name of a file that had
// several, through a mount, writes four: the name, the inode, the orphaned content, and the
// directory's time; more with extended attributes.
constexpr uint64_t kSpareDeletes = 6;
constexpr uint64_t kSpareDeleteBytes = 512;  // a move's record with the longest name and meta

TreeRoot TreeRootOf(const ShardRoot& root) {
  return {root.root, root.height, root.leaves, root.branches};
}

}  // namespace

void ShardPin::FindEachInMemory(std::span<const format::RecordKey> keys,
                                std::span<const Memtable::Record*> found) const {
  active->FindEach(keys, found);
  if (closed == nullptr) return;
  std::array<const Memtable::Record*, Memtable::kMostKeys> in_closed;
  closed->FindEach(keys, in_closed);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (found[i] == nullptr) found[i] = in_closed[i];
  }
}

Shard::Shard(ShardFiles files, const ShardConfig& config, const ShardRoot& root, uint64_t epoch)
    : mutex(LockRank::kShard, config.index),
      config_(config),
      inline_limit_(format::InlineLimitBytes(config.page_bytes)),
      files_(std::move(files)),
      blocks_(files_.values.get(), config.checksum_seed, config.read_only),
      page_allocator_(files_.keys.get(), config.page_bytes, &blocks_, root.page_map,
                      root.pages_used, config.read_only, files_.keys_bytes),
      block_allocator_(files_.values.get(), format::kBlockBytes, &blocks_, root.block_map,
                       root.blocks_used, config.read_only, files_.values_bytes),
      pages_(files_.keys.get(),
             {config.page_bytes, config.checksum_seed, config.hash,
              "shard " + std::to_string(config.index) + " keys", config.log, config.env}),
      active_(std::make_shared<Memtable>()),
      now_{
          active_, nullptr,
          std::make_shared<TreeVersion>(TreeVersion{Tree(&pages_, TreeRootOf(root)), epoch, root})},
      next_id_(root.next_id),
      entries_(root.entries),
      orphaned_contents_(root.orphaned_contents) {}

uint64_t Shard::TakeId() {
  const uint64_t id = next_id_;
  next_id_ += config_.shards;
  return id;
}

void Shard::NoteId(uint64_t id) {
  if (id >= next_id_ && id <= format::kMaxCountedId) next_id_ = id + config_.shards;
}

void Shard::NoteRowErased(const ErasedRow& row) {
  const bool goes_on = row.directory == last_row_.directory && row.begin == last_row_.end;
  in_rows_ += goes_on ? row.count : row.Inside();
  last_row_ = row;
}

void Shard::NoteFresh(uint64_t block, uint64_t version) {
  if (fresh_.size() < kMaxFresh || fresh_.contains(block)) fresh_[block] = version;
}

bool Shard::IsFresh(uint64_t block, uint64_t keep) const {
  const auto found = fresh_.find(block);
  return found != fresh_.end() && found->second > keep;
}

uint64_t Shard::ReservePages(uint64_t records, uint64_t record_bytes, bool grows) {
  if (records > 0 && IsReservedAhead(records, record_bytes, grows)) return 0;
  // Changes that only free space, and calls for no records, take the pages as they are backed.
  const bool may_grow = grows && records > 0;
  if (const auto need = NeedOfOnePage(records, record_bytes, may_grow))
    return Reserve(*need, grows);
  if (may_grow && page_allocator_.uses_heads()) page_allocator_.UseHeads(false);
  if (records > 0 && ReserveAhead(records, record_bytes, grows)) return 0;
  return Reserve(NeedOfPages(records, record_bytes), grows);
}

// Returns how many pages must be preallocated. Pages reserved ahead stay reserved.
uint64_t Shard::Reserve(const PageNeed& need, bool grows) {
  const uint64_t ahead = ahead_.state == state_ ? ahead_.pages : 0;
  page_allocator_.Reserve(std::max(need.open + need.closed + need.spare, ahead));
  const uint64_t needed = need.open + need.closed + (grows ? need.spare : 0);
  return page_allocator_.HasPreallocated(needed, need.closed)
             ? 0
             : needed - std::min(need.closed, page_allocator_.pinned());
}

bool Shard::IsReservedAhead(uint64_t records, uint64_t record_bytes, bool grows) const {
  return ahead_.state == state_ && grows <= ahead_.grows &&
         Scattered(*now_.active, in_rows_) + records <= ahead_.records &&
         now_.active->record_bytes() + record_bytes <= ahead_.record_bytes;
}

// Not while heads are used: when a page outgrows its head, none of the reserved ones would do.
bool Shard::ReserveAhead(uint64_t records, uint64_t record_bytes, bool grows) {
  constexpr uint64_t kTimes = 16;
  ahead_ = {};
  if (page_allocator_.uses_heads()) return false;
  const PageNeed need = NeedOfPages(kTimes * records, kTimes * record_bytes);
  if (Reserve(need, grows) > 0) return false;
  ahead_ = {state_, Scattered(*now_.active, in_rows_) + kTimes * records,
            now_.active->record_bytes() + kTimes * record_bytes, grows,
            need.open + need.closed + need.spare};
  return true;
}

// The open epoch's checkpoint starts from the tree made by the one in progress, and the spare
// deletes start from the tree that it makes itself. The one in progress may have pinned some of its
// pages already.
Shard::PageNeed Shard::NeedOfPages(uint64_t records, uint64_t record_bytes) const {
  TreeRoot root = now_.tree->tree.root();
  const auto make = [&](uint64_t changes, uint64_t bytes) {
    const TreeWriter::Bound bound = TreeWriter::BoundOf(root, changes, bytes, config_.page_bytes);
    root = bound.root;
    return bound.pages;
  };
  PageNeed need;
  if (now_.closed != nullptr) {
    need.closed = make(Scattered(*now_.closed, closed_in_rows_), now_.closed->record_bytes());
  }
  const uint64_t count = Scattered(*now_.active, in_rows_) + records;
  if (count > 0) need.open = make(count, now_.active->record_bytes() + record_bytes);
  need.spare = make(kSpareDeletes, kSpareDeletes * kSpareDeleteBytes);
  return need;
}

// The need of a shard so small that its tree is sure to stay one leaf; nullopt if it is larger. A
// checkpoint writes one page, and frees the previous one, which then is the spare page. If
// everything fits into the head of a page, only heads are backed.
std::optional<Shard::PageNeed> Shard::NeedOfOnePage(uint64_t records, uint64_t record_bytes,
                                                    bool grows) {
  const TreeRoot& root = now_.tree->tree.root();
  const uint64_t most_bytes = config_.page_bytes / 4 * 3;
  if (root.height > 1 || now_.active->record_bytes() > most_bytes) return std::nullopt;
  uint64_t count = now_.active->count() + records + kSpareDeletes;
  uint64_t bytes = now_.active->record_bytes() + record_bytes;
  const bool is_dirty = count > kSpareDeletes;
  if (now_.closed != nullptr) {
    count += now_.closed->count();
    bytes += now_.closed->record_bytes();
  }
  bytes += LeafBytes();
  // Spare bytes are counted for growing changes only, so that deletes do not lose the one-leaf
  // case.
  constexpr uint64_t kSpareBytes = kSpareDeletes * kSpareDeleteBytes;
  if (bytes + (grows ? kSpareBytes : 0) > most_bytes) return std::nullopt;
  const bool fits_head = bytes + kSpareBytes <= BlockAllocator::kHeadBytes;
  if (fits_head || grows) page_allocator_.UseHeads(fits_head);
  PageNeed need;
  need.closed = now_.closed != nullptr ? 1 : 0;
  need.open = is_dirty ? 1 : 0;
  // If whole pages are needed, a page whose head alone is backed cannot be the spare page.
  const bool has_one = root.height > 0 || now_.closed != nullptr;
  const bool is_whole = now_.closed == nullptr && !page_allocator_.HasHeadOnly(root.page.number);
  const bool frees_one = is_dirty && has_one && (page_allocator_.uses_heads() || is_whole);
  need.spare = frees_one ? 0 : 1;
  return need;
}

// Bytes used in the tree's only leaf; the page size if it cannot be read.
uint64_t Shard::LeafBytes() const {
  if (now_.tree->tree.root().height == 0) return format::kPageHeaderBytes;
  if (const uint64_t known = leaf_bytes_; known != 0) return known;
  const auto page = pages_.Read(now_.tree->tree.root().page);
  if (!page) return config_.page_bytes;
  leaf_bytes_ = page->end();
  return leaf_bytes_;
}

// Reserves the blocks that this epoch's checkpoint can need for the allocation maps, and as many
// for the next one, which makes changes that free space durable; it can reuse what this one frees.
uint64_t Shard::ReserveBlocks(bool grows) {
  const uint64_t once = page_allocator_.MapBlocks() + block_allocator_.MapBlocks();
  const uint64_t present = page_allocator_.PresentMapBlocks() + block_allocator_.PresentMapBlocks();
  const uint64_t twice = 2 * once - (now_.closed == nullptr ? std::min(once, present) : 0);
  block_allocator_.Reserve(twice);
  const uint64_t needed = grows ? twice : once;
  return block_allocator_.HasPreallocated(needed) ? 0 : needed;
}

// As ReservePages, for no records: it reserves nothing ahead, so the lock may be shared.
uint64_t Shard::ReserveSparePages() {
  if (const auto need = NeedOfOnePage(0, 0, false)) return Reserve(*need, true);
  return Reserve(NeedOfPages(0, 0), true);
}

Shard::Spare Shard::ReserveSpare() {
  const SharedLock lock(mutex);
  return {ReserveSparePages(), ReserveBlocks(true)};
}

Result<void> Shard::PreallocateSpare() {
  const Spare missing = ReserveSpare();
  if (missing.pages > 0) KVFS_TRY(page_allocator_.Preallocate(missing.pages));
  if (missing.blocks > 0) KVFS_TRY(block_allocator_.Preallocate(missing.blocks));
  return {};
}

Result<uint64_t> Shard::FileBytes() const {
  KVFS_ASSIGN(const uint64_t keys, files_.keys->SizeBytes());
  KVFS_ASSIGN(const uint64_t values, files_.values->SizeBytes());
  return keys + values;
}

Result<uint64_t> Shard::DiskBytes() const {
  KVFS_ASSIGN(const uint64_t keys, files_.keys->AllocatedBytes());
  KVFS_ASSIGN(const uint64_t values, files_.values->AllocatedBytes());
  return keys + values;
}

void Shard::CloseEpoch() {
  Demand(!has_closed(), "an epoch is closed when the one before is in a durable checkpoint");
  ++state_;
  now_.closed = active_;
  active_ = std::make_shared<Memtable>();
  now_.active = active_;
  closed_bytes_ = now_.closed->bytes();
  PublishDirty();
  fresh_.clear();
  closed_in_rows_ = std::exchange(in_rows_, 0);
  last_row_ = {};
  page_allocator_.CloseEpoch();
  block_allocator_.CloseEpoch();
  closed_root_ = {};
  closed_root_.next_id = next_id_;
  closed_root_.entries = entries_;
  closed_root_.orphaned_contents = orphaned_contents_;
}

std::vector<TreeChange> Shard::ClosedChanges() const {
  std::vector<TreeChange> changes;
  changes.reserve(Steady().closed->count());
  Memtable::Iterator at(Steady().closed.get(), Memtable::kNewest);
  for (at.Seek({}); at.Valid(); at.Next()) {
    const Memtable::Record& record = at.record();
    changes.push_back({record.key(), record.version(), record.is_erased(), record.value()});
  }
  return changes;
}

Result<WrittenTree> Shard::WriteTree(const TreeWriterOptions& options) {
  const std::vector<TreeChange> changes = ClosedChanges();
  for (int looks = 0; looks < kMostLooks; ++looks) {
    TreeWriter writer(&pages_, &page_allocator_, options);
    auto tree = writer.Write(Steady().tree->tree.root(), changes);
    if (tree || tree.error().code != kRetry) return tree;
  }
  return Fail(ErrorCode::kUnavailable, "the disk fails to deliver pages of the keys file");
}

// The closed memtable and the last tree are immutable: reading them needs no lock.
Result<ShardRoot> Shard::WriteClosed(uint64_t epoch, bool rewrites_all) {
  constexpr uint32_t kDense = 100;
  KVFS_REQUIRE(has_closed(), "an epoch is closed before it is written");
  is_synced_ = false;
  TreeWriterOptions options{epoch};
  options.rewrites_all = rewrites_all;
  if (rewrites_all) options.fill_percent = kDense;
  KVFS_ASSIGN(WrittenTree tree, WriteTree(options));
  uint64_t pages = 0;
  for (const Run& run : tree.allocated) pages += run.count;
  page_allocator_.AddToClosed(tree.allocated, tree.freed);
  AllocatorWriter map_writer(&page_allocator_, &block_allocator_, &blocks_);
  if (auto prepared = map_writer.Prepare(); !prepared) {
    page_allocator_.DropFromClosed(tree.allocated, tree.freed);
    return tl::unexpected(std::move(prepared).error());
  }
  blocks_allocated_ = block_allocator_.closed_allocated();
  // The maps in memory are settled now, so this cannot be repeated.
  if (auto maps = map_writer.Write(); !maps) {
    const bool may_repeat = maps.error().code == ErrorCode::kUnavailable;
    return Fail(may_repeat ? ErrorCode::kIo : maps.error().code, maps.error().message);
  }
  pages_written_ = pages;
  if (rewrites_all) has_kept_damage_ = tree.has_met_damage;
  ShardRoot root = closed_root_;
  root.root = tree.root.page;
  root.height = static_cast<uint8_t>(tree.root.height);
  root.leaves = tree.root.leaves;
  root.branches = tree.root.branches;
  root.page_map = page_allocator_.root();
  root.block_map = block_allocator_.root();
  root.pages_used = page_allocator_.settled_used();
  root.blocks_used = block_allocator_.settled_used();
  written_ = root;
  written_epoch_ = epoch;
  return root;
}

Result<void> Shard::Sync() {
  KVFS_TRY(blocks_.Sync());
  KVFS_TRY(files_.keys->Sync());
  is_synced_ = true;
  return {};
}

void Shard::CheckpointDurable(uint64_t epoch) {
  Demand(has_closed() && written_epoch_ == epoch && is_synced_,
         "a checkpoint is durable after its trees are written and synced");
  auto version = std::make_shared<TreeVersion>(
      TreeVersion{Tree(&pages_, TreeRootOf(written_)), epoch, written_});
  page_allocator_.CheckpointDurable(epoch);
  block_allocator_.CheckpointDurable(epoch);
  std::shared_ptr<const Memtable> dropped;  // destroyed without the lock
  {
    const MutexLock lock(mutex);
    ++state_;
    older_.push_back(now_.tree);
    now_.tree = std::move(version);
    leaf_bytes_ = 0;
    dropped.swap(now_.closed);
    closed_bytes_ = 0;
    PublishDirty();
  }
  dropped.reset();
  FreeUnread();
}

void Shard::FreeUnread() {
  uint64_t oldest = 0;
  {
    const MutexLock lock(mutex);
    std::erase_if(older_, [](const auto& version) { return version.expired(); });
    oldest = now_.tree->epoch;
    for (const auto& version : older_) {
      if (const auto alive = version.lock()) oldest = std::min(oldest, alive->epoch);
    }
  }
  page_allocator_.FreeUpTo(oldest);
  block_allocator_.FreeUpTo(oldest);
}

// Returns long runs, and shorter ones as long as more is free than a third of what is in use: if
// the free space is fragmented, most single numbers stay, so that few calls are made. The map does
// not know of space left by an earlier process that died, or by a hole that could not be punched on
// a full disk; the file's allocated size reveals it.
void Shard::TrimIdle(BlockAllocator* space, const File& file, uint64_t unit_bytes) {
  constexpr uint64_t kRuns[] = {16, 4, 2, 1};
  constexpr uint64_t kKeptParts = 3, kTolerated = uint64_t{64} << 10;
  const uint64_t used = space->used() + space->waiting(), kept = used / kKeptParts;
  for (const uint64_t run : kRuns) space->Trim(run == kRuns[0] ? 0 : kept, run);
  const uint64_t most = (used + std::max(kept, space->preallocated())) * unit_bytes + kTolerated;
  for (const uint64_t run : kRuns) {
    if (file.AllocatedBytes().value_or(0) <= most) return;
    space->TrimAll(run);
  }
}

void Shard::GiveBackPreallocated() {
  FreeUnread();
  ReserveSpare();
  page_allocator_.Trim(0, 1);
  block_allocator_.Trim(0, 1);
}

void Shard::Trim(CheckpointPurpose purpose) {
  ReserveSpare();
  switch (purpose) {
    case CheckpointPurpose::kContinue: {
      // Returns long runs only, and keeps what an epoch twice as long would need: punching a hole
      // can be as slow as a write.
      constexpr uint64_t kLongRun = 16;
      page_allocator_.Trim(std::max(2 * pages_written_, uint64_t{1}), kLongRun);
      block_allocator_.Trim(std::max(2 * blocks_allocated_, uint64_t{1}), kLongRun);
      break;
    }
    case CheckpointPurpose::kIdle:
    case CheckpointPurpose::kClose:
      TrimIdle(&page_allocator_, *files_.keys, config_.page_bytes);
      TrimIdle(&block_allocator_, *files_.values, format::kBlockBytes);
      break;
    case CheckpointPurpose::kCompact:
      page_allocator_.TrimAll();
      block_allocator_.TrimAll();
      break;
  }
}

}  // namespace kvfs
