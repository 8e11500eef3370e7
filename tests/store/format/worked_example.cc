// One function for each part; the parts refer to each other as in a real store.
#include "tests/store/format/worked_example.h"

#include <algorithm>

#include "store/format/block_list.h"
#include "store/format/branch.h"
#include "store/format/change.h"
#include "store/format/checksum.h"
#include "store/format/chunk.h"
#include "store/format/entry.h"
#include "store/format/leaf.h"
#include "store/format/log_mark.h"
#include "store/format/log_segment.h"
#include "store/format/superblock.h"

namespace kvfs::format {
namespace {

using Kind = Change::Kind;
using Piece = std::vector<std::byte>;

constexpr uint32_t kPageBytes = 4096;
constexpr uint64_t kSegment = (uint64_t{1} << 32) + 3;
constexpr uint64_t kNextSequence = 9;
constexpr PagePointer kLeaf{4, 3}, kBranch{5, 3};
constexpr uint64_t kPageMap = 5, kBlockMap = 6;  // blocks

Identity TheIdentity() {
  Identity identity;
  for (size_t i = 0; i < identity.store.size(); ++i) identity.store[i] = static_cast<std::byte>(i);
  identity.shards = 1;
  identity.page_bytes = kPageBytes;
  identity.hash_bits = 63;
  identity.hash_seed = 42;
  identity.log_limit_bytes = uint64_t{64} << 20;
  identity.log_segment_bytes = uint64_t{8} << 20;
  return identity;
}

// A bitmap of an allocation map. For blocks, the numbers 1 to `last` are used; for pages, only
// `last`.
Piece TheBitmap(uint64_t last) {
  Piece out(kBlockBytes);
  const uint64_t ones = (uint64_t{2} << last) - 2;
  StoreLittle(out.data(), last == kLeaf.number ? uint64_t{1} << last : ones);
  return out;
}

BlockPointer MapBlock(uint64_t number, const Piece& bitmap) {
  return {number, Checksum(bitmap, TheIdentity().ShardSeed(0))};
}

Piece TheCheckpoint() {
  Checkpoint checkpoint{3, kSegment, kNextSequence, kSegment + 1, {}};
  ShardRoot shard;
  shard.root = kLeaf;
  shard.height = 1;
  shard.page_map = {MapBlock(kPageMap, TheBitmap(4)), 1, 1};
  shard.block_map = {MapBlock(kBlockMap, TheBitmap(kBlockMap)), 1, 1};
  shard.next_id = 19;
  shard.entries = 3;
  shard.leaves = 1;
  shard.pages_used = 1;
  shard.blocks_used = 6;
  checkpoint.shards = {shard};
  return checkpoint.Encode(TheIdentity().store);
}

Piece TheSegmentHeader() {
  const auto bytes = SegmentHeader{kSegment, kNextSequence}.Encode(TheIdentity().store);
  return {bytes.begin(), bytes.end()};
}

BlockPointer Block(uint64_t number, size_t bytes) {
  std::string content(bytes, 'x');
  content.resize(kBlockBytes);
  return {number, Checksum(AsBytes(content), TheIdentity().ShardSeed(0))};
}

Entry EntryOf(uint64_t id, uint64_t size) {
  Entry entry;
  entry.id = id;
  entry.size = size;
  return entry;
}

Piece Encoded(const Entry& entry) {
  Piece out;
  entry.Encode(InlineLimitBytes(kPageBytes), &out);
  return out;
}

Piece TheInlineEntry() {
  Entry entry = EntryOf(16, 3);
  entry.meta = "meta";
  entry.tail = AsBytes("bar");
  return Encoded(entry);
}

Piece TheEntryWithBlocks() {
  const BlockPointer blocks[] = {Block(1, 4096), Block(2, 904)};
  Piece direct;
  AppendBlockList(blocks, &direct);
  Entry entry = EntryOf(17, 5000);
  entry.direct = direct;
  return Encoded(entry);
}

Piece TheEntryWithChunks() {
  Entry entry = EntryOf(18, 40004);
  entry.content = 18;
  entry.allocated = 2;
  return Encoded(entry);
}

Piece TheChunk() {
  Chunk chunk;
  chunk.blocks[0] = Block(3, 4096);
  chunk.blocks[9] = {4 | BlockPointer::kUnwritten, 0};
  return chunk.Encode();
}

Change OfKind(Kind kind, std::string_view name) {
  Change change;
  change.kind = kind;
  change.directory = 1;
  change.name = name;
  return change;
}

std::vector<Change> OneChangeOfEachKind(Bytes block_pointers) {
  Change put = OfKind(Kind::kPut, "foo");
  put.found = Change::Found::kAbsent;
  put.id = 16;
  put.meta = "meta";
  put.data = AsBytes("bar");
  Change erase = OfKind(Kind::kErase, "old");
  erase.found = Change::Found::kWithoutBlocks;
  Change move = OfKind(Kind::kMove, "tmp");
  move.to_directory = 1;
  move.to_name = "big";
  Change exchange = OfKind(Kind::kExchange, "a");
  exchange.to_directory = 1;
  exchange.to_name = "b";
  exchange.to_meta = "m";
  Change meta = OfKind(Kind::kMeta, "foo");
  meta.meta = "m";
  Change write = OfKind(Kind::kWrite, "big");
  write.offset = 4096;
  write.data = AsBytes("hello");
  Change write_blocks = OfKind(Kind::kWriteBlocks, "big");
  write_blocks.data = block_pointers;
  Change resize = OfKind(Kind::kResize, "big");
  resize.size = 5000;
  Change punch = OfKind(Kind::kPunch, "big");
  punch.offset = 100;
  punch.length = 50;
  Change allocate = OfKind(Kind::kAllocate, "big");
  allocate.offset = 8192;
  allocate.length = 4096;
  Change reclaim = OfKind(Kind::kReclaim, "");
  reclaim.directory = 0;
  reclaim.content = 21;
  reclaim.end = 64;
  Change take = OfKind(Kind::kTakeContent, "big");
  take.to_directory = 2;
  take.to_name = "9";
  return {put,          erase,  move,  exchange, meta,    write,
          write_blocks, resize, punch, allocate, reclaim, take};
}

Piece TheLogRecord() {
  std::byte pointer[BlockPointer::kBytes];
  Block(1, 4096).Encode(pointer);
  Piece record(kLogRecordHeaderBytes);
  for (const Change& change : OneChangeOfEachKind(pointer)) change.AppendTo(&record);
  SealLogRecord(&record, kNextSequence, kNextSequence - 1,
                SegmentSeed(TheIdentity().store, kSegment));
  return record;
}

Piece TheLogMark() {
  const auto header = LogMark::EncodeHeader(TheIdentity().store, LifeOf(kSegment),
                                            "this run, this mount, this file");
  Piece mark(kLogMarkBytes);
  CopyBytes(mark.data(), header);
  for (const uint64_t sequence : {kNextSequence - 1, kNextSequence}) {
    CopyBytes(mark.data() + LogMarkPlace(sequence), EncodeLogMarkSequence(sequence));
  }
  return mark;
}

Piece TheLeaf() {
  const std::map<std::string, Piece> values = {
      {"foo", TheInlineEntry()}, {"big", TheEntryWithBlocks()}, {"sparse", TheEntryWithChunks()}};
  const Piece chunk = TheChunk();
  std::vector<LeafRecord> records;
  uint64_t version = 6;
  for (const auto& [name, value] : values) {
    const uint64_t position = TheIdentity().NamesHash().PositionOf(name);
    records.push_back({{1, position, name}, version++, value});
  }
  std::ranges::sort(records, {}, &LeafRecord::key);
  records.push_back({{ContentDirectory(18), 0, {}}, 8, chunk});
  Piece page(kPageBytes);
  EncodeLeaf(records, 0, kLeaf, TheIdentity().ShardSeed(0), page);
  return page;
}

Piece TheBranch() {
  const BranchRecord records[] = {{{}, kLeaf, 4}, {{1, 0x1000, "n"}, {6, 2}, 1}};
  Piece page(kPageBytes);
  EncodeBranch(records, kBranch, TheIdentity().ShardSeed(0), page);
  return page;
}

}  // namespace

std::map<std::string, std::vector<std::byte>> WorkedExample() {
  return {{"identity", TheIdentity().Encode()},
          {"checkpoint", TheCheckpoint()},
          {"segment-header", TheSegmentHeader()},
          {"log-record", TheLogRecord()},
          {"log-mark", TheLogMark()},
          {"leaf", TheLeaf()},
          {"branch", TheBranch()},
          {"inline-entry", TheInlineEntry()},
          {"entry-with-blocks", TheEntryWithBlocks()},
          {"entry-with-chunks", TheEntryWithChunks()},
          {"chunk", TheChunk()},
          {"allocation-map-bitmap", TheBitmap(kBlockMap)}};
}

}  // namespace kvfs::format
