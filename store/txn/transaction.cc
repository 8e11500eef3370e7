// Few records are searched linearly, many through a hash of their positions.
#include "store/txn/transaction.h"

#include <algorithm>

#include "store/base/contract.h"
#include "store/base/retry.h"
#include "store/shard/record_cursor.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;
using format::RecordKey;

namespace {

constexpr size_t kSearchedOneByOne = 8;

uint64_t PlaceHash(uint32_t shard, const RecordKey& key) {
  return (key.directory * 0x9e3779b97f4a7c15 ^ key.position) + shard;
}

}  // namespace

Transaction::~Transaction() {
  for (const auto& [index, changes] : shards_changed_) {
    BlockAllocator& space = shards_[index]->block_allocator();
    if (changes.ahead.count > 0) space.Unpin(changes.ahead);
    for (const Run& run : changes.allocated) space.Unpin(run);
  }
}

Result<void> Transaction::NeedShard(uint32_t shard) {
  if (locks_.Has(shard)) return {};
  missing_locks_.set(shard);
  return Fail(kRetry);
}

uint64_t Transaction::TakeId(uint32_t shard) {
  shards_[shard]->mutex.AssertHeld();  // by locks_, as below
  return shards_[shard]->TakeId();
}

void Transaction::NoteId(uint32_t shard, uint64_t id) {
  shards_[shard]->mutex.AssertHeld();
  shards_[shard]->NoteId(id);
}

// Records.

Transaction::OwnRecord* Transaction::FindOwn(uint32_t shard, const RecordKey& key) const {
  auto is_it = [&](const OwnRecord& own) { return own.shard == shard && own.key == key; };
  if (own_.size() <= kSearchedOneByOne) {
    const auto found = std::ranges::find_if(own_, is_it);
    return found == own_.end() ? nullptr : &*found;
  }
  const auto [begin, end] = own_by_position_.equal_range(PlaceHash(shard, key));
  for (auto at = begin; at != end; ++at) {
    if (is_it(own_[at->second])) return &own_[at->second];
  }
  return nullptr;
}

void Transaction::SetOwn(uint32_t shard, const RecordKey& key,
                         std::optional<std::vector<std::byte>> value) {
  shards_changed_[shard];
  if (OwnRecord* own = FindOwn(shard, key)) {
    own->value = std::move(value);
    return;
  }
  own_.push_back({shard, key, std::move(value)});
  if (own_.size() <= kSearchedOneByOne) return;
  const size_t first = own_.size() == kSearchedOneByOne + 1 ? 0 : own_.size() - 1;
  for (size_t i = first; i < own_.size(); ++i) {
    own_by_position_.emplace(PlaceHash(own_[i].shard, own_[i].key), i);
  }
}

void Transaction::Put(uint32_t shard, const RecordKey& key, std::vector<std::byte> value) {
  SetOwn(shard, key, std::move(value));
}

void Transaction::Erase(uint32_t shard, const RecordKey& key) { SetOwn(shard, key, std::nullopt); }

Result<Transaction::Found> Transaction::Find(uint32_t shard, const RecordKey& key) const {
  if (const OwnRecord* own = FindOwn(shard, key)) {
    if (!own->value) return Fail(ErrorCode::kNotFound);
    return Found{*own->value, 0};
  }
  return FindCommitted(shard, key);
}

Result<Transaction::Found> Transaction::FindCommitted(uint32_t shard, const RecordKey& key) const {
  shards_[shard]->mutex.AssertHeld();
  const ShardPin& pin = shards_[shard]->now();
  const auto look =
      std::ranges::find_if(looks_, [&](const PrefetchedRecord& it) { return it.place.key == key; });
  const bool has_look = look != looks_.end();
  const bool is_present = has_look && look->shard_state == shards_[shard]->state();
  const Memtable::Record* in_memory =
      is_present ? look->in_memory : pin.FindInMemory(key, Memtable::kNewest);
  if (in_memory != nullptr) {
    if (in_memory->is_erased()) return Fail(ErrorCode::kNotFound);
    return Found{in_memory->value(), in_memory->version()};
  }
  if (has_look && look->on_disk && look->tree == pin.tree.get()) {
    if (!*look->on_disk) return tl::unexpected(look->on_disk->error());
    return Found{(*look->on_disk)->value, (*look->on_disk)->version};
  }
  for (int looks = 0; looks < kMostLooks; ++looks) {
    const uint64_t faults = shards_[shard]->ViewFaults();
    const auto record = pin.tree->tree.Find(key);
    if (shards_[shard]->ViewFaults() != faults) continue;  // the result may be zeros
    if (!record) return tl::unexpected(record.error());
    return Found{record->value, record->version};
  }
  return Fail(ErrorCode::kUnavailable, "the disk fails to deliver pages of the keys file");
}

Result<std::vector<uint64_t>> Transaction::NumbersOf(uint32_t shard, uint64_t directory,
                                                     uint64_t from, uint64_t end,
                                                     size_t most) const {
  std::vector<uint64_t> numbers;
  shards_[shard]->mutex.AssertHeld();
  RecordCursor cursor(shards_[shard]->Pin(), Memtable::kNewest, /*lock=*/nullptr);
  cursor.Seek({directory, from, {}}, directory);
  for (; cursor.Valid() && cursor.Record().key.position < end; cursor.Next()) {
    if (numbers.size() == most) break;
    numbers.push_back(cursor.Record().key.position);
  }
  if (cursor.damage()) return tl::unexpected(*cursor.damage());
  for (const OwnRecord& own : own_) {
    const bool is_one = own.shard == shard && own.key.directory == directory && own.value &&
                        own.key.position >= from && own.key.position < end;
    if (is_one) numbers.push_back(own.key.position);
  }
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::erase_if(numbers, [&](uint64_t number) {
    const OwnRecord* own = FindOwn(shard, {directory, number, {}});
    return own != nullptr && !own->value;
  });
  return numbers;
}

// Blocks.

Result<void> Transaction::WantBlocks(uint32_t shard, uint64_t count) {
  ShardChanges& changes = shards_changed_[shard];
  changes.wanted = count;
  if (changes.ahead.count + shards_[shard]->block_allocator().preallocated() >= count) return {};
  missing_blocks_[shard] = PinnedBlocks(shard) + count;
  return Fail(kRetry);
}

Result<uint64_t> Transaction::TakeNumber(uint32_t shard) {
  ShardChanges& changes = shards_changed_[shard];
  if (changes.ahead.count == 0) {
    changes.ahead = shards_[shard]->block_allocator().Pin(std::max<uint64_t>(changes.wanted, 1));
  }
  if (changes.ahead.count == 0) {
    missing_blocks_[shard] = PinnedBlocks(shard) + 1;
    return Fail(kRetry);
  }
  if (changes.wanted > 0) --changes.wanted;
  const uint64_t number = changes.ahead.first++;
  --changes.ahead.count;
  const bool follows = !changes.allocated.empty() &&
                       changes.allocated.back().first + changes.allocated.back().count == number;
  if (follows) {
    ++changes.allocated.back().count;
  } else {
    changes.allocated.push_back({number, 1});
  }
  return number;
}

Result<BlockPointer> Transaction::NewBlock(uint32_t shard, Bytes whole) {
  KVFS_ASSIGN(const uint64_t number, TakeNumber(shard));
  auto bytes = std::make_unique<Block>();
  CopyBytes(bytes->data(), whole);
  shards_changed_[shard].images[number] = {std::move(bytes), true};
  return BlockPointer{number, shards_[shard]->blocks().ChecksumOf(whole)};
}

Result<BlockPointer> Transaction::NewUnwritten(uint32_t shard) {
  KVFS_ASSIGN(const uint64_t number, TakeNumber(shard));
  return BlockPointer{number | BlockPointer::kUnwritten, 0};
}

Result<BlockPointer> Transaction::ChangeBlock(uint32_t shard, BlockPointer block, uint32_t offset,
                                              Bytes data) {
  ShardChanges& changes = shards_changed_[shard];
  auto image = changes.images.find(block.Place());
  if (block.IsHole() || image == changes.images.end()) {
    auto fresh = std::make_unique<Block>();
    if (data.size() < kBlockBytes) {
      KVFS_TRY(shards_[shard]->blocks().Read(block, 0, *fresh));
    }
    uint64_t number = block.Place();
    shards_[shard]->mutex.AssertHeld();
    // A block that was never written, or was written in this epoch and is not in a snapshot, may be
    // overwritten.
    const bool stays =
        !block.IsHole() && (block.IsUnwritten() || shards_[shard]->IsFresh(number, keep_));
    if (!stays) {
      KVFS_ASSIGN(number, TakeNumber(shard));
      if (!block.IsHole()) changes.freed.push_back(block.Place());
    }
    image = changes.images.insert_or_assign(number, Image{std::move(fresh), !stays}).first;
  }
  Block& bytes = *image->second.bytes;
  CopyBytes(bytes.data() + offset, data);
  return BlockPointer{image->first, shards_[shard]->blocks().ChecksumOf(bytes)};
}

Result<void> Transaction::ReadBlock(uint32_t shard, BlockPointer block, uint32_t offset,
                                    MutableBytes out) const {
  if (const auto changes = shards_changed_.find(shard);
      changes != shards_changed_.end() && !block.ReadsAsZeros()) {
    const auto image = changes->second.images.find(block.number);
    if (image != changes->second.images.end()) {
      CopyBytes(out.data(), Bytes(*image->second.bytes).subspan(offset, out.size()));
      return {};
    }
  }
  return shards_[shard]->blocks().Read(block, offset, out);
}

void Transaction::FreeBlock(uint32_t shard, BlockPointer block) {
  if (block.IsHole()) return;
  ShardChanges& changes = shards_changed_[shard];
  changes.images.erase(block.Place());
  changes.freed.push_back(block.Place());
}

// The end.

// Records of one shard are mostly adjacent.
std::vector<Transaction::Size> Transaction::Sizes() const {
  std::vector<Size> sizes;
  const auto of = [&](uint32_t shard) -> Size& {
    if (!sizes.empty() && sizes.back().shard == shard) return sizes.back();
    const auto found = std::ranges::find(sizes, shard, &Size::shard);
    return found != sizes.end() ? *found : sizes.emplace_back(Size{shard});
  };
  for (const OwnRecord& own : own_) {
    Size& size = of(own.shard);
    ++size.records;
    if (own.value) {
      size.bytes += format::MostLeafRecordBytes({own.key, Memtable::kNewest, *own.value});
    }
  }
  for (const auto& [index, changes] : shards_changed_) {
    for (const ErasedRow& row : changes.rows) of(index).records -= row.Inside();
  }
  return sizes;
}

uint64_t Transaction::FreedBlocks(uint32_t shard) const {
  const auto changes = shards_changed_.find(shard);
  return changes == shards_changed_.end() ? 0 : changes->second.freed.size();
}

uint64_t Transaction::PinnedBlocks(uint32_t shard) const {
  const auto changes = shards_changed_.find(shard);
  if (changes == shards_changed_.end()) return 0;
  uint64_t held = changes->second.ahead.count;
  for (const Run& run : changes->second.allocated) held += run.count;
  return held;
}

uint64_t Transaction::AllocatedBytes() const {
  uint64_t blocks = 0;
  for (const auto& [index, changes] : shards_changed_) {
    for (const Run& run : changes.allocated) blocks += run.count;
  }
  return blocks * kBlockBytes;
}

uint64_t Transaction::FreedBytes() const {
  uint64_t blocks = 0;
  for (const auto& [index, changes] : shards_changed_) blocks += changes.freed.size();
  return blocks * kBlockBytes;
}

Result<void> Transaction::WriteNewBlocks() {
  for (const auto& [index, changes] : shards_changed_) {
    KVFS_TRY(WriteImages(*shards_[index], changes, /*new_ones=*/true));
  }
  return {};
}

Result<void> Transaction::Commit(uint64_t version) {
  Result<void> written;
  constexpr const char* kLocked = "a shard must be locked before it is changed";
  for (const OwnRecord& own : own_) {
    Demand(locks_.Has(own.shard), kLocked);
    std::optional<Bytes> value;
    if (own.value) value = *own.value;
    shards_[own.shard]->mutex.AssertHeld();
    shards_[own.shard]->Put(own.key, version, value, keep_);
  }
  for (auto& [index, changes] : shards_changed_) {
    Shard& shard = *shards_[index];
    const bool needs_lock = changes.entries != 0 || changes.orphans != 0 || !changes.images.empty();
    Demand(!needs_lock || locks_.Has(index), kLocked);
    shard.mutex.AssertHeld();
    shard.CountEntries(changes.entries);
    shard.CountOrphans(changes.orphans);
    for (const ErasedRow& row : changes.rows) shard.NoteRowErased(row);
    auto over = WriteImages(shard, changes, /*new_ones=*/false);
    if (!over) written = std::move(over);
    for (const auto& [number, image] : changes.images) shard.NoteFresh(number, version);
    for (const Run& run : changes.allocated) shard.block_allocator().Allocate(run);
    changes.allocated.clear();
    for (const uint64_t number : changes.freed) shard.block_allocator().FreeLater(number);
    shard.PublishDirty();
  }
  return written;
}

void Transaction::MarkTorn() {
  for (uint32_t i = 0; i < shards_.size(); ++i) {
    if (locks_.Has(i)) shards_[i]->MarkTorn();
  }
}

// Writes neighbouring blocks with one call.
Result<void> Transaction::WriteImages(Shard& shard, const ShardChanges& changes, bool new_ones) {
  std::vector<std::byte> run;
  Result<void> written;
  uint64_t next = 0;
  auto write_run = [&] {
    if (run.empty()) return;
    const uint64_t first = next - run.size() / kBlockBytes;
    auto done = new_ones ? shard.blocks().Write(first, run) : shard.blocks().WriteOver(first, run);
    if (!done) written = std::move(done);
    run.clear();
  };
  for (const auto& [number, image] : changes.images) {
    if (image.is_new != new_ones) continue;
    if (number != next) write_run();
    run.insert(run.end(), image.bytes->begin(), image.bytes->end());
    next = number + 1;
  }
  write_run();
  return written;
}

}  // namespace kvfs
