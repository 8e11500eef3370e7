// One function a piece; they refer to each other as those of a real store do.
#include "tests/store/format/worked_example.h"

#include "store/format/change.h"
#include "store/format/checksum.h"
#include "store/format/entry.h"
#include "store/format/log_segment.h"
#include "store/format/page.h"
#include "store/format/superblock.h"
#include "store/space_map.h"

namespace kvfs::format {
namespace {

using Kind = Change::Kind;
using Piece = std::vector<std::byte>;

constexpr uint32_t kPageBytes = 4096;
constexpr uint64_t kSegment = (uint64_t{1} << 32) + 3;
constexpr uint64_t kNextSequence = 9;
constexpr PagePointer kLeaf{4, 3}, kBranch{5, 3};

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

Piece TheCheckpoint() {
  Checkpoint checkpoint{3, kSegment, kNextSequence, {{kLeaf, 18, 2, 1, 2}}};
  return checkpoint.Encode(TheIdentity().store);
}

Piece TheSegmentHeader() {
  const auto bytes = SegmentHeader{kSegment, kNextSequence}.Encode(TheIdentity().store);
  return {bytes.begin(), bytes.end()};
}

uint64_t PositionOf(std::string_view name) {
  return Checksum(AsBytes(name), TheIdentity().hash_seed) >> 1;
}

BlockPointer Block(uint64_t number, size_t bytes) {
  std::string content(bytes, 'x');
  content.resize(kBlockBytes);
  return {number, Checksum(AsBytes(content), TheIdentity().ShardSeed(0))};
}

Piece TheInlineEntry() {
  Piece out;
  Entry{16, 3, "meta", AsBytes("bar"), 0}.Encode(InlineLimitBytes(kPageBytes), &out);
  return out;
}

Piece TheEntryWithBlocks() {
  Piece out;
  Entry{17, 5000, "", {}, 2}.Encode(InlineLimitBytes(kPageBytes), &out);
  return out;
}

Piece TheChunk() {
  Chunk chunk;
  chunk.blocks[0] = Block(1, 4096);
  chunk.blocks[1] = Block(2, 904);
  return chunk.Encode();
}

// A group of a space map whose numbers 0 to `last` are used; 0 is the file's header.
Piece TheGroup(uint64_t last) {
  Piece out(kGroupBytes);
  StoreLittle(out.data(), (uint64_t{2} << last) - 1);
  return out;
}

Change OfKind(Kind kind, std::string_view name) {
  Change change;
  change.kind = kind;
  change.space = 1;
  change.name = name;
  return change;
}

std::vector<Change> OneChangeOfEachKind(Bytes block_pointers) {
  Change put = OfKind(Kind::kPut, "foo");
  put.id = 16;
  put.meta = "meta";
  put.data = AsBytes("bar");
  Change erase = OfKind(Kind::kErase, "old");
  Change move = OfKind(Kind::kMove, "tmp");
  move.to_space = 1;
  move.to_name = "big";
  Change meta = OfKind(Kind::kMeta, "foo");
  meta.meta = "m";
  Change write = OfKind(Kind::kWrite, "big");
  write.offset = 4096;
  write.data = AsBytes("hello");
  Change write_blocks = OfKind(Kind::kWriteBlocks, "big");
  write_blocks.offset = 0;
  write_blocks.id = 17;
  write_blocks.data = block_pointers;
  Change resize = OfKind(Kind::kResize, "big");
  resize.size = 5000;
  Change punch = OfKind(Kind::kPunch, "big");
  punch.offset = 100;
  punch.length = 50;
  return {put, erase, move, meta, write, write_blocks, resize, punch};
}

Piece TheLogRecord() {
  std::byte pointer[BlockPointer::kBytes];
  Block(1, 4096).Encode(pointer);
  Piece record(kLogRecordHeaderBytes);
  for (const Change& change : OneChangeOfEachKind(pointer)) change.AppendTo(&record);
  SealLogRecord(&record, kNextSequence, SegmentSeed(TheIdentity().store, kSegment));
  return record;
}

Piece TheLeaf() {
  Piece page(kPageBytes);
  PageEditor editor(page.data(), kPageBytes);
  editor.Initialize(PageKind::kLeaf, kLeaf);
  auto put = [&](const RecordKey& key, const Piece& value) {
    static_cast<void>(editor.Insert(editor.LowerBound(key), key, value));
  };
  put({1, PositionOf("foo"), "foo"}, TheInlineEntry());
  put({1, PositionOf("big"), "big"}, TheEntryWithBlocks());
  put({ContentSpace(17), 0, {}}, TheChunk());
  put({kBlockMapSpace, 0, {}}, TheGroup(2));
  put({kPageMapSpace, 0, {}}, TheGroup(4));
  SealPage(page.data(), kPageBytes, TheIdentity().ShardSeed(0));
  return page;
}

Piece TheBranch() {
  Piece page(kPageBytes);
  PageEditor editor(page.data(), kPageBytes);
  editor.Initialize(PageKind::kBranch, kBranch);
  std::byte child[PagePointer::kBytes];
  kLeaf.Encode(child);
  editor.Append({}, child);
  PagePointer{6, 2}.Encode(child);
  editor.Append({1, 0x1000, "n"}, child);
  SealPage(page.data(), kPageBytes, TheIdentity().ShardSeed(0));
  return page;
}

}  // namespace

std::map<std::string, std::vector<std::byte>> WorkedExample() {
  return {{"identity", TheIdentity().Encode()},
          {"checkpoint", TheCheckpoint()},
          {"segment-header", TheSegmentHeader()},
          {"log-record", TheLogRecord()},
          {"leaf", TheLeaf()},
          {"branch", TheBranch()},
          {"inline-entry", TheInlineEntry()},
          {"entry-with-blocks", TheEntryWithBlocks()},
          {"chunk", TheChunk()},
          {"space-map-group", TheGroup(2)}};
}

}  // namespace kvfs::format
