// Reads records, then blocks.
#include "store/engine/read_view.h"

#include <algorithm>

#include "store/base/describe.h"

namespace kvfs {

using format::BlockPointer;
using format::Chunk;
using format::ContentShape;
using format::Entry;
using format::kBlockBytes;
using format::kBlocksPerChunk;
using format::RecordKey;

namespace {

// Attempts at reading an entry that keeps changing, before the locks are kept.
constexpr int kAttempts = 3;

// How much of [offset, offset + wanted) lies within the content.
size_t Available(uint64_t size, uint64_t offset, size_t wanted) {
  return offset >= size ? 0 : static_cast<size_t>(std::min<uint64_t>(wanted, size - offset));
}

Result<void> CheckDirectory(DirectoryId directory) {
  if (directory < format::kFirstOwnDirectory) return {};
  return Fail(ErrorCode::kInvalid, "a directory must be below 2^63");
}

tl::unexpected<Error> NotDelivered() {
  return Fail(ErrorCode::kUnavailable, "the disk fails to deliver pages of the keys file");
}

Result<uint64_t> AllocatedBytes(const Entry& entry, uint32_t limit) {
  const ContentShape shape = ContentShape::Of(entry.size, limit);
  uint64_t blocks = entry.allocated;
  if (shape.IsDirect() && shape.blocks > 0) {
    BlockPointer direct[format::kDirectBlocks];
    format::DecodeBlockList(entry.direct, std::span(direct).first(shape.blocks));
    blocks = static_cast<uint64_t>(
        std::count_if(direct, direct + shape.blocks, [](auto& it) { return !it.IsHole(); }));
  }
  return blocks * kBlockBytes + shape.tail;
}

}  // namespace

void ReadView::Content::Keep(const Entry& entry, uint64_t its_version, const ContentShape& shape) {
  version = its_version;
  size = entry.size;
  id = entry.id;
  chunked = entry.content;
  if (!shape.IsDirect()) return;
  direct.resize(shape.blocks);
  format::DecodeBlockList(entry.direct, direct);
}

Result<void> ReadView::WholeLog() const {
  if (log_damage_.empty()) return {};
  return Fail(ErrorCode::kCorrupt, log_damage_);
}

Error ReadView::Report(Error error, Key key) const {
  if (error.code == ErrorCode::kNotFound && !log_damage_.empty()) {
    return {ErrorCode::kCorrupt,
            DescribeEntry(key.directory, key.name) + " is not known to be absent: " + log_damage_};
  }
  if (error.code != ErrorCode::kCorrupt) return error;
  const uint32_t shard = placement_.PlaceOf(key.directory, key.name).shard;
  error.message = DescribeEntry(key.directory, key.name) + ", shard " + std::to_string(shard) +
                  ": " + error.message;
  if (log_) log_(error.message);
  return error;
}

template <typename Use>
Result<void> ReadView::WithRecord(uint32_t index, const RecordKey& key, Locks locks, Use use,
                                  uint64_t* state) const {
  const Shard& shard = *shards_[index];
  std::shared_ptr<const TreeVersion> tree;
  {
    std::optional<SharedLock<RankedSharedMutex>> lock;
    if (locks == Locks::kTaken) lock.emplace(shard.mutex);
    shard.mutex.AssertShared();  // by `lock`, or by ReadLocked
    KVFS_TRY(shard.CheckWhole());
    if (state != nullptr) *state = shard.state();
    const ShardPin& pin = pins_ != nullptr ? (*pins_)[index] : shard.now();
    if (const Memtable::Record* record = pin.FindInMemory(key, at_)) {
      if (record->is_erased()) return Fail(ErrorCode::kNotFound);
      return use(record->value(), record->version());
    }
    tree = pin.tree;
  }
  for (int looks = 0; looks < kMostLooks; ++looks) {
    const uint64_t faults = shard.ViewFaults();
    auto record = tree->tree.Find(key);
    auto used = record ? use(record->value, record->version)
                       : Result<void>(tl::unexpected(std::move(record).error()));
    // If the disk failed to deliver a page meanwhile, the decoded data is not reliable.
    if (shard.ViewFaults() == faults) return used;
  }
  return NotDelivered();
}

template <typename Use>
Result<void> ReadView::WithEntry(Key key, Locks locks, Use use, uint64_t* state) const {
  const auto& [shard, record] = placement_.PlaceOf(key.directory, key.name);
  const uint32_t limit = shards_[shard]->inline_limit();
  return WithRecord(
      shard, record, locks,
      [&](Bytes value, uint64_t version) -> Result<void> {
        KVFS_ASSIGN(const Entry entry, Entry::Decode(value, limit));
        return use(entry, version);
      },
      state);
}

ShardPin ReadView::PinOf(uint32_t shard) const {
  if (pins_ != nullptr) return (*pins_)[shard];
  SharedLock lock(shards_[shard]->mutex);
  return shards_[shard]->Pin();
}

Result<EntryInfo> ReadView::Stat(Key key) const {
  KVFS_TRY(CheckDirectory(key.directory));
  EntryInfo info;
  const uint32_t limit = shards_.front()->inline_limit();
  auto found =
      WithEntry(key, Locks::kTaken, [&](const Entry& entry, uint64_t version) -> Result<void> {
        KVFS_ASSIGN(info.allocated_bytes, AllocatedBytes(entry, limit));
        info.id = entry.id;
        info.version = version;
        info.size_bytes = entry.size;
        info.meta = entry.meta;
        return {};
      });
  if (!found) return tl::unexpected(Report(std::move(found).error(), key));
  return info;
}

Result<size_t> ReadView::Read(Key key, uint64_t offset, MutableBytes out) const {
  KVFS_TRY(CheckDirectory(key.directory));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto count = TryRead(key, offset, out);
    if (!count) return tl::unexpected(Report(std::move(count).error(), key));
    if (*count) return **count;
  }
  auto count = ReadLocked(key, offset, out);
  if (!count) return tl::unexpected(Report(std::move(count).error(), key));
  return count;
}

// Large memory is allocated only when no lock is held, and the memory of `out` is reused.
Result<bool> ReadView::TryReadAll(Key key, std::string* out) const {
  const uint32_t limit = shards_.front()->inline_limit();
  Content content;
  std::string tail;
  uint64_t in_blocks = 0;
  auto look = [&](const Entry& entry, uint64_t version) -> Result<void> {
    const ContentShape shape = ContentShape::Of(entry.size, limit);
    in_blocks = std::min(shape.TailBegin(), entry.size);
    std::string& to = in_blocks == 0 ? *out : tail;
    to.assign(reinterpret_cast<const char*>(entry.tail.data()), entry.tail.size());
    if (in_blocks > 0) content.Keep(entry, version, shape);
    return {};
  };
  KVFS_TRY(WithEntry(key, Locks::kTaken, look, &content.state));
  if (in_blocks == 0) return true;
  if (content.size > kMaxGetBytes) {
    return Fail(ErrorCode::kTooLarge,
                "the content has " + std::to_string(content.size) + " bytes; read it in ranges");
  }
  out->resize(content.size);
  std::ranges::copy(tail, out->end() - static_cast<ptrdiff_t>(tail.size()));
  const MutableBytes blocks = std::as_writable_bytes(std::span(*out)).first(in_blocks);
  auto read = ReadBlocks(content, Locks::kTaken, 0, blocks);
  KVFS_ASSIGN(const bool is_unchanged, IsUnchanged(key, content));
  if (is_unchanged) KVFS_TRY(read);
  return is_unchanged;
}

// If the entry keeps changing, its size under the locks is unknown beforehand: a completely filled
// buffer means that there may be more.
Result<void> ReadView::ReadAll(Key key, std::string* content) const {
  KVFS_TRY(CheckDirectory(key.directory));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto done = TryReadAll(key, content);
    if (!done) return tl::unexpected(Report(std::move(done).error(), key));
    if (*done) return {};
  }
  size_t count = content->size();
  while (count == content->size()) {
    content->resize(2 * count + 1);
    KVFS_ASSIGN(count, Read(key, 0, std::as_writable_bytes(std::span(*content))));
    if (count > kMaxGetBytes) {
      return Fail(ErrorCode::kTooLarge, "the content is too large; read it in ranges");
    }
  }
  content->resize(count);
  return {};
}

Result<std::pair<size_t, size_t>> ReadView::ReadTail(Key key, Locks locks, uint64_t offset,
                                                     MutableBytes out, Content* content) const {
  const uint32_t limit = shards_.front()->inline_limit();
  size_t count = 0, in_blocks = 0;
  auto use = [&](const Entry& entry, uint64_t version) -> Result<void> {
    const ContentShape shape = ContentShape::Of(entry.size, limit);
    count = Available(entry.size, offset, out.size());
    in_blocks = Available(shape.TailBegin(), offset, count);
    if (in_blocks < count) {
      const uint64_t from = std::max(offset, shape.TailBegin()) - shape.TailBegin();
      CopyBytes(out.data() + in_blocks, entry.tail.subspan(from, count - in_blocks));
    }
    if (in_blocks > 0) content->Keep(entry, version, shape);
    return {};
  };
  KVFS_TRY(WithEntry(key, locks, use, &content->state));
  return std::pair{count, in_blocks};
}

Result<std::optional<size_t>> ReadView::TryRead(Key key, uint64_t offset, MutableBytes out) const {
  Content content;
  KVFS_ASSIGN(const auto counts, ReadTail(key, Locks::kTaken, offset, out, &content));
  const auto [count, in_blocks] = counts;
  if (in_blocks == 0) return count;
  auto read = ReadBlocks(content, Locks::kTaken, offset, out.first(in_blocks));
  KVFS_ASSIGN(const bool is_unchanged, IsUnchanged(key, content));
  if (!is_unchanged) return std::nullopt;
  KVFS_TRY(read);
  return count;
}

// A snapshot does not change. In the newest state, usually the whole shard is unchanged.
Result<bool> ReadView::IsUnchanged(Key key, const Content& content) const {
  if (pins_ != nullptr) return true;
  const Shard& shard = *shards_[placement_.PlaceOf(key.directory, key.name).shard];
  {
    const SharedLock lock(shard.mutex);
    if (shard.state() == content.state) return true;
  }
  uint64_t present = 0;
  auto found =
      WithEntry(key, Locks::kTaken, [&](const Entry&, uint64_t found_version) -> Result<void> {
        present = found_version;
        return {};
      });
  if (!found && found.error().code != ErrorCode::kNotFound) return tl::unexpected(found.error());
  return found && present == content.version;
}

// The entry and its blocks may be in two shards, whose locks have an order; the entry may change
// between the lookup that finds the shards and the locking, so the lookup is repeated under the
// locks.
Result<size_t> ReadView::ReadLocked(Key key, uint64_t offset, MutableBytes out) const {
  const uint32_t index = placement_.PlaceOf(key.directory, key.name).shard;
  uint32_t owner = index;
  while (true) {
    SharedLock first(shards_[std::min(index, owner)]->mutex);
    std::optional<SharedLock<RankedSharedMutex>> second;
    if (owner != index) second.emplace(shards_[std::max(index, owner)]->mutex);
    Content content;
    KVFS_ASSIGN(const auto counts, ReadTail(key, Locks::kHeld, offset, out, &content));
    const auto [count, in_blocks] = counts;
    if (in_blocks == 0) return count;
    if (placement_.OwnerOf(content.id) == owner) {
      KVFS_TRY(ReadBlocks(content, Locks::kHeld, offset, out.first(in_blocks)));
      return count;
    }
    owner = placement_.OwnerOf(content.id);
  }
}

Result<Chunk> ReadView::ReadChunk(const Content& content, Locks locks, uint64_t index) const {
  Chunk chunk;
  auto found = WithRecord(placement_.OwnerOf(content.id),
                          {format::ContentDirectory(content.chunked), index, {}}, locks,
                          [&](Bytes value, uint64_t) -> Result<void> {
                            KVFS_ASSIGN(chunk, Chunk::Decode(value));
                            return {};
                          });
  if (!found && found.error().code != ErrorCode::kNotFound) return tl::unexpected(found.error());
  return chunk;
}

Result<void> ReadView::ReadBlocks(const Content& content, Locks locks, uint64_t offset,
                                  MutableBytes out) const {
  const uint32_t owner = placement_.OwnerOf(content.id);
  const BlockFile& blocks = shards_[owner]->blocks();
  ShardPin pin;  // keeps the blocks from being given out again
  if (locks == Locks::kTaken) pin = PinOf(owner);
  Chunk chunk;
  uint64_t loaded = ~uint64_t{0};
  while (!out.empty()) {
    const uint64_t index = offset / kBlockBytes;
    const auto within = static_cast<uint32_t>(offset % kBlockBytes);
    if (content.chunked != 0 && index / kBlocksPerChunk != loaded) {
      loaded = index / kBlocksPerChunk;
      KVFS_ASSIGN(chunk, ReadChunk(content, locks, loaded));
    }
    const std::span<const BlockPointer> rest =
        content.chunked != 0 ? std::span(chunk.blocks).subspan(index % kBlocksPerChunk)
                             : std::span(content.direct).subspan(index);
    const size_t wanted = (within + out.size() + kBlockBytes - 1) / kBlockBytes;
    const auto row = rest.first(blocks.RowLength(rest.first(std::min(rest.size(), wanted))));
    const size_t count = std::min<size_t>(out.size(), row.size() * kBlockBytes - within);
    KVFS_TRY(blocks.ReadRow(row, within, out.first(count)));
    out = out.subspan(count);
    offset += count;
  }
  return {};
}

// Data and holes.

Result<ReadView::Content> ReadView::ContentOf(Key key) const {
  KVFS_TRY(CheckDirectory(key.directory));
  Content content;
  const uint32_t limit = shards_.front()->inline_limit();
  auto found =
      WithEntry(key, Locks::kTaken, [&](const Entry& entry, uint64_t version) -> Result<void> {
        content.Keep(entry, version, ContentShape::Of(entry.size, limit));
        return {};
      });
  if (!found) return tl::unexpected(Report(std::move(found).error(), key));
  return content;
}

// Calls visit(index, is a hole) for blocks from `from` on until it returns false; in a row of holes
// without a chunk, only the first is visited.
template <typename Visit>
Result<void> ReadView::ForEachBlock(const Content& content, uint64_t from, Visit visit) const {
  const uint64_t end = ContentShape::Of(content.size, shards_.front()->inline_limit()).blocks;
  if (content.chunked == 0) {
    for (uint64_t i = from; i < end; ++i) {
      if (!visit(i, content.direct[i].IsHole())) return {};
    }
    return {};
  }
  const uint32_t owner = placement_.OwnerOf(content.id);
  const uint64_t directory = format::ContentDirectory(content.chunked);
  RecordCursor cursor(PinOf(owner), at_, &shards_[owner]->mutex);
  cursor.Seek({directory, from / kBlocksPerChunk, {}}, directory);
  uint64_t next = from;
  for (; cursor.Valid() && next < end; cursor.Next()) {
    const uint64_t begin = cursor.Record().key.position * kBlocksPerChunk;
    if (begin > next && !visit(next, true)) return {};
    next = std::max(next, begin);
    KVFS_ASSIGN(const Chunk chunk, Chunk::Decode(cursor.Record().value));
    for (; next < std::min(begin + kBlocksPerChunk, end); ++next) {
      if (!visit(next, chunk.blocks[next - begin].IsHole())) return {};
    }
  }
  if (cursor.damage()) return tl::unexpected(*cursor.damage());
  if (next < end) visit(next, true);
  return {};
}

Result<uint64_t> ReadView::FindData(Key key, uint64_t offset) const {
  KVFS_ASSIGN(const Content content, ContentOf(key));
  if (offset >= content.size) return content.size;
  const ContentShape shape = ContentShape::Of(content.size, shards_.front()->inline_limit());
  uint64_t found = shape.TailBegin();  // a tail is data
  auto visited = ForEachBlock(content, offset / kBlockBytes, [&](uint64_t index, bool is_hole) {
    if (!is_hole) found = index * kBlockBytes;
    return is_hole;
  });
  if (!visited) return tl::unexpected(Report(std::move(visited).error(), key));
  return std::min(std::max(found, offset), content.size);
}

Result<uint64_t> ReadView::FindHole(Key key, uint64_t offset) const {
  KVFS_ASSIGN(const Content content, ContentOf(key));
  uint64_t found = content.size;
  if (offset >= content.size) return found;
  auto visited = ForEachBlock(content, offset / kBlockBytes, [&](uint64_t index, bool is_hole) {
    if (is_hole) found = index * kBlockBytes;
    return !is_hole;
  });
  if (!visited) return tl::unexpected(Report(std::move(visited).error(), key));
  return std::min(std::max(found, offset), content.size);
}

// Listings.

Result<void> ReadView::List(DirectoryId directory, Position from, const ListVisitor& visit) const {
  KVFS_TRY(CheckDirectory(directory));
  if (from >= uint64_t{1} << 63) return {};
  // Damage hides only the records of the damaged page; it is reported at the end.
  Result<void> damage = WholeLog();
  for (uint32_t i = placement_.ShardOf(from); i < placement_.shards(); ++i) {
    const Shard& shard = *shards_[i];
    const uint64_t faults = shard.ViewFaults();
    RecordCursor cursor(PinOf(i), at_, &shard.mutex);
    cursor.Seek({directory, from, {}}, directory);
    for (; cursor.Valid(); cursor.Next()) {
      const format::LeafRecord& record = cursor.Record();
      auto entry = Entry::Decode(record.value, shard.inline_limit());
      if (!entry) {
        damage = tl::unexpected(Report(std::move(entry).error(), {directory, record.key.name}));
        continue;
      }
      const Bytes content = entry->size == entry->tail.size() ? entry->tail : Bytes{};
      if (!visit({record.key.name, record.key.position, entry->id, entry->size, record.version,
                  entry->meta, content})) {
        return {};
      }
    }
    KVFS_TRY(shard.CheckWhole());
    const auto missed = cursor.damage();
    if (missed) damage = tl::unexpected(*missed);
    if (!missed && shard.ViewFaults() != faults) damage = NotDelivered();
    if (!damage && damage.error().code != ErrorCode::kCorrupt) return damage;
  }
  return damage;
}

}  // namespace kvfs
