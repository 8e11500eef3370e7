// Counts chunks, as far as needed.
#include "store/txn/large_cut.h"

#include <algorithm>

#include "store/shard/record_cursor.h"
#include "store/txn/content_editor.h"

namespace kvfs {

using format::ContentShape;
using format::Entry;
using format::kChunkBytes;
using Kind = Batch::Operation::Kind;

namespace {

constexpr uint64_t kMostFreed = ContentEditor::kMostFreedChunks;
constexpr uint64_t kMostKept = ContentEditor::kMostMovedChunks;

}  // namespace

// Nothing unless the content has chunks.
Result<std::optional<LargeCut::Content>> LargeCut::Find(const Place& place) const {
  const Shard& shard = *shards_[place.shard];
  auto content_of = [&](Bytes value) -> Result<std::optional<Content>> {
    KVFS_ASSIGN(const Entry entry, Entry::Decode(value, shard.inline_limit()));
    if (entry.content == 0) return std::nullopt;
    return Content{placement_.OwnerOf(entry.id), entry.content, entry.size, entry.allocated};
  };
  ShardPin pin;
  {
    SharedLock lock(shard.mutex);
    pin = shard.Pin();
    const auto* found = pin.FindInMemory(place.key, Memtable::kNewest);
    if (found != nullptr && found->is_erased()) return std::nullopt;
    if (found != nullptr) return content_of(found->value());
  }
  auto found = pin.tree->tree.Find(place.key);
  if (found) return content_of(found->value);
  if (found.error().code == ErrorCode::kNotFound) return std::nullopt;
  return tl::unexpected(std::move(found).error());
}

Result<LargeCut::Count> LargeCut::CountChunks(const Content& content, uint64_t from, uint64_t end,
                                              uint64_t most) const {
  Shard& shard = *shards_[content.owner];
  ShardPin pin;
  {
    SharedLock lock(shard.mutex);
    pin = shard.Pin();
  }
  const uint64_t directory = format::ContentDirectory(content.id);
  RecordCursor cursor(std::move(pin), Memtable::kNewest, &shard.mutex);
  Count count{0, from};
  cursor.Seek({directory, from, {}}, directory);
  for (; cursor.Valid() && count.chunks < most; cursor.Next()) {
    if (cursor.Record().key.position >= end) break;
    count.end = cursor.Record().key.position + 1;
    ++count.chunks;
  }
  if (cursor.damage()) return tl::unexpected(*cursor.damage());
  return count;
}

// Where the last kMostFreed chunks begin; there are more of them from `from` on.
Result<uint64_t> LargeCut::LastPart(const Content& content, uint64_t from) const {
  uint64_t few = content.size / kChunkBytes + 1;
  for (uint64_t many = from; few - many > 1;) {
    const uint64_t middle = many + (few - many) / 2;
    KVFS_ASSIGN(const Count count, CountChunks(content, middle, ~uint64_t{0}, kMostFreed + 1));
    (count.chunks > kMostFreed ? many : few) = middle;
  }
  return few;
}

Result<std::optional<Batch::Operation>> LargeCut::PartOf(const Batch::Operation& operation,
                                                         const Place& place) const {
  const bool is_cut = operation.kind == Kind::kResize;
  if (!is_cut && operation.kind != Kind::kPunch) return std::nullopt;
  KVFS_ASSIGN(const auto content, Find(place));
  if (!content || content->allocated <= kMostFreed || operation.offset >= content->size) {
    return std::nullopt;
  }
  const uint64_t room = content->size - operation.offset;
  const uint64_t end_bytes = operation.offset + (is_cut ? room : std::min(operation.length, room));
  const uint64_t from = (operation.offset + kChunkBytes - 1) / kChunkBytes;
  const uint64_t end = is_cut ? ~uint64_t{0} : end_bytes / kChunkBytes;
  if (from >= end) return std::nullopt;
  KVFS_ASSIGN(const Count first, CountChunks(*content, from, end, kMostFreed));
  KVFS_ASSIGN(const Count more, CountChunks(*content, first.end, end, 1));
  if (more.chunks == 0) return std::nullopt;
  KVFS_ASSIGN(const Count before, CountChunks(*content, 0, from, kMostKept + 1));
  KVFS_ASSIGN(const Count behind, CountChunks(*content, end, ~uint64_t{0}, kMostKept + 1));
  if (before.chunks + behind.chunks <= kMostKept) return std::nullopt;

  Batch::Operation part;
  part.kind = operation.kind;
  part.key = operation.key;
  part.offset = operation.offset;
  if (is_cut) {
    KVFS_ASSIGN(const uint64_t last, LastPart(*content, from));
    part.offset = last * kChunkBytes;
  } else {
    part.length = first.end * kChunkBytes - operation.offset;
  }
  return part;
}

}  // namespace kvfs
