// Compares docs/format.md with the code: its constants, its tables of offsets, and the bytes of its
// worked example. The document is the golden test vector.
//
// What it reads there:
//   | `kName` | value | ...                      a constant
//   | 4096 | 1024 |                              page bytes and inline limit
//   <!-- layout: name bytes at base of piece --> before a table of | offset | bytes | field |
//   ```hex piece bytes                           before lines of "offset  bytes   meaning"
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "store/alloc/block_allocator.h"
#include "store/format/branch.h"
#include "store/format/change.h"
#include "store/format/chunk.h"
#include "store/format/entry.h"
#include "store/format/leaf.h"
#include "store/format/log_mark.h"
#include "store/format/log_segment.h"
#include "store/format/name_hash.h"
#include "store/format/superblock.h"
#include "tests/store/format/worked_example.h"

namespace kvfs::format {
namespace {

const std::map<std::string, uint64_t> kConstants = {
    {"kVersion", kVersion},
    {"kMaxShards", kMaxShards},
    {"kMinPageBytes", kMinPageBytes},
    {"kMaxPageBytes", kMaxPageBytes},
    {"kBlockBytes", kBlockBytes},
    {"kDirectBlocks", kDirectBlocks},
    {"kBlocksPerChunk", kBlocksPerChunk},
    {"kChunkBytes", kChunkBytes},
    {"kMapNumbers", kMapNumbers},
    {"kMapFanout", kMapFanout},
    {"kMaxMapLevels", kMaxMapLevels},
    {"kMaxTreeHeight", kMaxTreeHeight},
    {"kIdentityBytes", kIdentityBytes},
    {"kIdentityOffset[0]", kIdentityOffset[0]},
    {"kIdentityOffset[1]", kIdentityOffset[1]},
    {"kSlotOffset[0]", kSlotOffset[0]},
    {"kSlotOffset[1]", kSlotOffset[1]},
    {"kSlotHeaderBytes", kSlotHeaderBytes},
    {"kSlotShardBytes", kSlotShardBytes},
    {"kSuperblockBytes", kSuperblockBytes},
    {"kSegmentHeaderBytes", kSegmentHeaderBytes},
    {"kLogRecordHeaderBytes", kLogRecordHeaderBytes},
    {"kOldLogRecordHeaderBytes", kOldLogRecordHeaderBytes},
    {"kLogMarkHeaderBytes", kLogMarkHeaderBytes},
    {"kLogMarkBytes", kLogMarkBytes},
    {"kChangeHeaderBytes", kChangeHeaderBytes},
    {"kPageHeaderBytes", kPageHeaderBytes},
    {"kLeafGroupBytes", kLeafGroupBytes},
    {"kLeafSlotBytes", kLeafSlotBytes},
    {"kBranchItemBytes", kBranchItemBytes},
    {"PagePointer::kBytes", PagePointer::kBytes},
    {"BlockPointer::kBytes", BlockPointer::kBytes},
};

// The size of each structure for which the document has a table.
const std::map<std::string, uint64_t> kLayouts = {
    {"identity", kIdentityBytes},
    {"slot-header", kSlotHeaderBytes},
    {"slot-shard", kSlotShardBytes},
    {"segment-header", kSegmentHeaderBytes},
    {"record-header", kLogRecordHeaderBytes},
    {"log-mark", kLogMarkBytes},
    {"change-header", kChangeHeaderBytes},
    {"page-header", kPageHeaderBytes},
};

struct Layout {
  uint64_t bytes = 0;
  uint64_t base = 0;
  std::string piece;
  std::vector<std::pair<uint64_t, uint64_t>> fields;  // offset, bytes
};

struct HexBlock {
  std::vector<std::byte> bytes;
  std::set<uint64_t> line_offsets;
};

uint64_t Number(const std::string& text, int base = 10) { return std::stoull(text, nullptr, base); }

// Parses the document, once.
class Document {
 public:
  explicit Document(const std::string& path) {
    std::ifstream file(path);
    EXPECT_TRUE(file) << "cannot read " << path;
    for (std::string line; std::getline(file, line);) Take(line);
  }

  std::map<std::string, uint64_t> constants;
  std::map<uint64_t, uint64_t> inline_limits;
  std::map<std::string, Layout> layouts;
  std::map<std::string, HexBlock> pieces;

 private:
  void Take(const std::string& line) {
    static const std::regex kConstant(R"(\| `([\w:\[\]]+)` \| (\d+) \|.*)");
    static const std::regex kInlineLimit(R"(\| (\d+) \| (\d+) \|)");
    static const std::regex kLayout(R"(<!-- layout: (\S+) (\d+) at (\d+) of (\S+) -->)");
    static const std::regex kField(R"(\| (\d+) \| (\d+) \| .+ \|)");
    static const std::regex kFence(R"(```hex (\S+) (\d+))");
    std::smatch match;
    if (hex_ != nullptr) {
      TakeHex(line);
    } else if (std::regex_match(line, match, kFence)) {
      EXPECT_FALSE(pieces.contains(match[1])) << match[1] << " stands there twice";
      hex_ = &pieces[match[1]];
      hex_->bytes.resize(Number(match[2]));
    } else if (std::regex_match(line, match, kLayout)) {
      layout_ = &layouts[match[1]];
      *layout_ = {Number(match[2]), Number(match[3]), match[4], {}};
    } else if (layout_ != nullptr && std::regex_match(line, match, kField)) {
      layout_->fields.emplace_back(Number(match[1]), Number(match[2]));
    } else if (line.empty()) {
      layout_ = nullptr;
    } else if (std::regex_match(line, match, kConstant)) {
      constants[match[1]] = Number(match[2]);
    } else if (std::regex_match(line, match, kInlineLimit)) {
      inline_limits[Number(match[1])] = Number(match[2]);
    }
  }

  void TakeHex(const std::string& line) {
    static const std::regex kLine(R"(([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)(?:  .*)?)");
    if (line == "```") {
      hex_ = nullptr;
      return;
    }
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, kLine)) << line;
    uint64_t at = Number(match[1], 16);
    hex_->line_offsets.insert(at);
    std::istringstream digits(match[2]);
    for (std::string byte; digits >> byte; ++at) {
      ASSERT_LT(at, hex_->bytes.size()) << line;
      hex_->bytes[at] = static_cast<std::byte>(Number(byte, 16));
    }
  }

  HexBlock* hex_ = nullptr;   // whose fence is open
  Layout* layout_ = nullptr;  // whose table is open
};

const Document& TheDocument() {
  static const Document document("docs/format.md");
  return document;
}

TEST(FormatDocument, NamesTheCodesConstants) { EXPECT_EQ(TheDocument().constants, kConstants); }

TEST(FormatDocument, KnowsTheInlineLimits) {
  std::map<uint64_t, uint64_t> limits;
  for (uint32_t page = kMinPageBytes; page <= kMaxPageBytes; page *= 2) {
    limits[page] = InlineLimitBytes(page);
  }
  EXPECT_EQ(TheDocument().inline_limits, limits);
}

TEST(FormatDocument, TablesHaveTheSizesOfTheirStructures) {
  std::map<std::string, uint64_t> sizes;
  for (const auto& [name, layout] : TheDocument().layouts) sizes[name] = layout.bytes;
  EXPECT_EQ(sizes, kLayouts);
}

TEST(FormatDocument, TablesLeaveNoByteOut) {
  for (const auto& [name, layout] : TheDocument().layouts) {
    uint64_t at = 0;
    for (const auto& [offset, bytes] : layout.fields) {
      EXPECT_EQ(offset, at) << name;
      at = offset + bytes;
    }
    EXPECT_EQ(at, layout.bytes) << name;
  }
}

// So a field that moves in the code must move in the table, too.
TEST(FormatDocument, TablesHaveTheFieldsOfTheExample) {
  for (const auto& [name, layout] : TheDocument().layouts) {
    ASSERT_TRUE(TheDocument().pieces.contains(layout.piece)) << name;
    const auto& offsets = TheDocument().pieces.at(layout.piece).line_offsets;
    for (const auto& [offset, bytes] : layout.fields) {
      EXPECT_TRUE(offsets.contains(layout.base + offset)) << name << " at " << offset;
    }
  }
}

TEST(FormatDocument, ExampleIsWhatTheCodeWrites) {
  const auto written = WorkedExample();
  EXPECT_EQ(TheDocument().pieces.size(), written.size());
  for (const auto& [name, bytes] : written) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(TheDocument().pieces.contains(name));
    const auto& shown = TheDocument().pieces.at(name).bytes;
    ASSERT_EQ(shown.size(), bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i) {
      ASSERT_EQ(shown[i], bytes[i]) << "at offset " << std::hex << i;
    }
  }
}

// The reverse: the document's bytes are decoded to the described values.
TEST(FormatDocument, ExampleIsRead) {
  const auto& pieces = TheDocument().pieces;
  const Identity identity = Identity::Decode(pieces.at("identity").bytes).value();
  EXPECT_EQ(identity.hash_seed, 42u);
  const Checkpoint checkpoint =
      Checkpoint::Decode(pieces.at("checkpoint").bytes, identity.store, identity.shards).value();
  const auto header = SegmentHeader::Decode(pieces.at("segment-header").bytes, identity.store);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->number, checkpoint.first_segment);
  const auto record = DecodeLogRecord(pieces.at("log-record").bytes, checkpoint.next_sequence,
                                      SegmentSeed(identity.store, header->number));
  ASSERT_TRUE(record);
  EXPECT_EQ(DecodeChanges(record->payload).value().size(), 12u);
  for (const auto& [name, self] :
       {std::pair{"leaf", checkpoint.shards[0].root}, std::pair{"branch", PagePointer{5, 3}}}) {
    const auto& page = pieces.at(name).bytes;
    const auto sound = CheckPage(page, identity.ShardSeed(0), self);
    ASSERT_TRUE(sound) << sound.error().message;
    EXPECT_TRUE(CheckOrder(PageView(page.data(), identity.page_bytes), identity.NamesHash()));
  }
  const auto& leaf = pieces.at("leaf").bytes;
  const NameHash hash = identity.NamesHash();
  const auto found = LeafView(PageView(leaf.data(), identity.page_bytes), hash)
                         .Find({1, hash.PositionOf("foo"), "foo"});
  ASSERT_TRUE(found);
  const auto entry = Entry::Decode(found->value, InlineLimitBytes(identity.page_bytes));
  ASSERT_TRUE(entry);
  EXPECT_EQ(AsText(entry->tail), "bar");
  EXPECT_EQ(entry->meta, "meta");
}

}  // namespace
}  // namespace kvfs::format
