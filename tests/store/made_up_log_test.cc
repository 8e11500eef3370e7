// Forged log records under correct checksums: impossible ones are refused as damage when the store
// is opened, ones that contradict the store are applied as far as they make sense, and no later
// record is affected.
#include <gtest/gtest.h>

#include <deque>

#include "store/format/change.h"
#include "store/format/checksum.h"
#include "store/format/entry.h"
#include "store/format/log_segment.h"
#include "tests/fuzz/damaged_store.h"
#include "tests/store/every_use.h"
#include "tests/support/sanitized.h"

namespace kvfs {
namespace {

using format::BlockPointer;
using format::Change;
using Kind = Change::Kind;
using Found = Change::Found;

constexpr DirectoryId kOther = 100;
constexpr uint64_t kTop = uint64_t{1} << 63;

// The end of a log, where a record can be appended.
struct LogEnd {
  std::string path;
  uint64_t offset = 0;
  uint64_t sequence = 0;
  uint64_t seed = 0;
};

LogEnd FindEnd(const fuzz::StoreImage& image) {
  LogEnd end;
  uint64_t newest = 0;
  for (const auto& [path, bytes] : image.files) {
    const auto header = format::SegmentHeader::Decode(AsBytes(bytes), image.identity.store);
    if (!path.starts_with("store/log/segment-") || !header || header->number < newest) continue;
    newest = header->number;
    end = {path, format::kSegmentHeaderBytes, header->first_sequence,
           format::SegmentSeed(image.identity.store, header->number)};
    while (const auto record = format::DecodeLogRecord(AsBytes(bytes).subspan(end.offset),
                                                       end.sequence, end.seed)) {
      end.offset += record->EncodedBytes();
      ++end.sequence;
    }
  }
  return end;
}

// The disk of a process that died, and the contents of the store.
class MadeUpLog : public testing::Test {
 protected:
  MadeUpLog() : end_(FindEnd(fuzz::KilledStore())) {
    for (const auto& [key, entry] : fuzz::KilledStore().states.back()) names_.push_back(key);
  }

  // With records of these payloads after the existing ones, as if all were durable.
  std::unique_ptr<MemoryEnv> With(const std::vector<std::vector<std::byte>>& payloads) const {
    auto disk = fuzz::DiskOf(fuzz::KilledStore());
    const auto file = disk->OpenFile(end_.path).value();
    uint64_t offset = end_.offset, sequence = end_.sequence;
    for (const auto& payload : payloads) {
      std::vector<std::byte> record(format::kLogRecordHeaderBytes);
      record.insert(record.end(), payload.begin(), payload.end());
      format::SealLogRecord(&record, sequence, sequence - 1, end_.seed);
      EXPECT_TRUE(file->Write(offset, record));
      offset += record.size();
      ++sequence;
    }
    return disk;
  }
  static std::vector<std::byte> Payload(const std::vector<Change>& changes) {
    std::vector<std::byte> payload;
    for (const Change& change : changes) change.AppendTo(&payload);
    return payload;
  }
  std::unique_ptr<MemoryEnv> With(const std::vector<Change>& changes) const {
    return With({Payload(changes)});
  }

  static Change Of(Kind kind, std::string_view name, DirectoryId directory = kOther) {
    Change change;
    change.kind = kind;
    change.directory = directory;
    change.name = name;
    if (format::HasSecondName(kind)) {
      change.to_directory = kOther;
      change.to_name = "direct";
    }
    if (kind == Kind::kPut) change.id = 1000;
    if (kind == Kind::kReclaim) change.directory = 0;
    return change;
  }
  Change Blocks(std::string_view name, uint64_t owner, const std::vector<BlockPointer>& blocks) {
    Change change = Of(Kind::kWriteBlocks, name);
    change.owner = owner;
    std::string& bytes = kept_.emplace_back(blocks.size() * BlockPointer::kBytes, '\0');
    for (size_t i = 0; i < blocks.size(); ++i) {
      blocks[i].Encode(reinterpret_cast<std::byte*>(bytes.data()) + i * BlockPointer::kBytes);
    }
    change.data = AsBytes(bytes);
    return change;
  }
  // A pointer into a shard, with a correct checksum.
  static BlockPointer BlockOf(uint32_t shard, uint64_t number) {
    const fuzz::StoreImage& image = fuzz::KilledStore();
    std::string values = image.files.at("store/shard-0" + std::to_string(shard) + ".values");
    values.resize((number + 1) * format::kBlockBytes);
    return {number, format::Checksum(AsBytes(values).subspan(number * format::kBlockBytes),
                                     image.identity.ShardSeed(shard))};
  }
  // The owner shard of an entry's content.
  static uint32_t OwnerOf(std::string_view name) {
    const auto disk = fuzz::DiskOf(fuzz::KilledStore());
    const auto store = Store::Open(*disk, "store").value();
    return static_cast<uint32_t>(store->Stat({kOther, name})->id % 2);
  }

  static Result<std::unique_ptr<Store>> Open(Env& disk) {
    OpenOptions options;
    options.idle_ms = 0;
    return Store::Open(disk, "store", options);
  }
  void ExpectRefused(const Change& change, const char* word) {
    SCOPED_TRACE(word);
    const auto disk = With(std::vector<Change>{change});
    const auto store = Open(*disk);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt) << store.error().message;
    EXPECT_NE(store.error().message.find(word), std::string::npos) << store.error().message;
    EveryUse use("store", names_);
    use.Repair(*disk);
  }

  const LogEnd end_;
  std::vector<EveryUse::Name> names_;
  std::deque<std::string> kept_;
};

TEST_F(MadeUpLog, WithoutAnyTheStoreIsWhole) {
  const auto disk = With(std::vector<Change>{});
  const auto held = ReadStore(*Open(*disk).value());
  ASSERT_TRUE(held);
  EXPECT_EQ(Difference(fuzz::KilledStore().states.back(), *held), "");
}

TEST_F(MadeUpLog, ASoundOneIsCarriedOut) {
  Change put = Of(Kind::kPut, "made up");
  put.data = AsBytes("value");
  const auto disk = With(std::vector<Change>{put});
  const auto store = Open(*disk).value();
  EXPECT_EQ(store->Stat({kOther, "made up"})->size_bytes, 5u);
}

TEST_F(MadeUpLog, WhatCannotBeIsRefused) {
  const auto with = [](Change change, auto edit) {
    edit(change);
    return change;
  };
  for (const Kind kind : {Kind::kPut, Kind::kErase, Kind::kMove, Kind::kExchange, Kind::kMeta,
                          Kind::kWrite, Kind::kResize, Kind::kTakeContent}) {
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.name = {}; }), "key");
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.directory = kTop; }), "key");
    if (!format::HasSecondName(kind)) continue;
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.to_name = {}; }), "key");
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.to_directory = kTop; }), "key");
  }
  ExpectRefused(Of(Kind::kReclaim, "large"), "key");
  for (const uint64_t id : {uint64_t{0}, uint64_t{15}, format::kMaxId + 1, ~uint64_t{0}}) {
    ExpectRefused(with(Of(Kind::kPut, "new"), [&](Change& it) { it.id = id; }), "id");
  }
  ExpectRefused(with(Of(Kind::kReclaim, ""), [](Change& it) { it.content = format::kMaxId + 1; }),
                "id");
  ExpectRefused(with(Of(Kind::kResize, "large"), [](Change& it) { it.size = kTop; }), "range");
  for (const Kind kind : {Kind::kPunch, Kind::kAllocate}) {
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.offset = it.length = kTop / 2; }),
                  "range");
    ExpectRefused(with(Of(kind, "large"), [](Change& it) { it.offset = kTop; }), "range");
  }
  ExpectRefused(with(Of(Kind::kWrite, "large"),
                     [](Change& it) {
                       it.offset = kTop - 2;
                       it.data = AsBytes("value");
                     }),
                "range");
  const std::string much((64 << 10) + 1, 'm');
  ExpectRefused(with(Of(Kind::kWrite, "large"), [&](Change& it) { it.data = AsBytes(much); }),
                "amount");
}

TEST_F(MadeUpLog, BlocksThatCannotBeAreRefused) {
  const uint32_t owner = OwnerOf("large");
  const BlockPointer block = BlockOf(owner, 1);
  ExpectRefused(Blocks("large", 2, {block}), "owner");
  ExpectRefused(Blocks("large", ~uint64_t{0}, {block}), "owner");
  Change askew = Blocks("large", owner, {block});
  askew.offset = 1;
  ExpectRefused(askew, "amount");
  Change cut = Blocks("large", owner, {block});
  cut.data = cut.data.first(15);
  ExpectRefused(cut, "amount");
  Change far = Blocks("large", owner, {block});
  far.offset = kTop - format::kBlockBytes;
  ExpectRefused(far, "range");
  for (const uint64_t number :
       {uint64_t{0}, format::kMaxNumber, 1 | BlockPointer::kUnwritten, ~uint64_t{0}}) {
    ExpectRefused(Blocks("large", owner, {block, {number, 1}}), "block");
  }
}

// Each record alone, and then with valid records before and after it.
TEST_F(MadeUpLog, WhatContradictsTheStoreTakesNothingElseWithIt) {
  const uint32_t owner = OwnerOf("large");
  const std::string kilobytes(20'000, 'k');
  std::vector<std::pair<const char*, std::vector<Change>>> cases;
  const auto add = [&](const char* what, std::vector<Change> changes) {
    cases.emplace_back(what, std::move(changes));
  };
  const auto with = [](Change change, auto edit) {
    edit(change);
    return change;
  };
  for (const Kind kind : {Kind::kErase, Kind::kMove, Kind::kExchange, Kind::kMeta, Kind::kWrite,
                          Kind::kResize, Kind::kPunch, Kind::kAllocate, Kind::kTakeContent}) {
    add("of what is absent", {Of(kind, "absent")});
  }
  add("a put that finds nothing, of what is there",
      {with(Of(Kind::kPut, "large"), [](Change& it) { it.found = Found::kAbsent; })});
  add("a put that finds no blocks, where there are",
      {with(Of(Kind::kPut, "large"), [](Change& it) { it.found = Found::kWithoutBlocks; })});
  add("an erasing that finds nothing",
      {with(Of(Kind::kErase, "large"), [](Change& it) { it.found = Found::kAbsent; })});
  add("an erasing without blocks, where there is nothing",
      {with(Of(Kind::kErase, "absent"), [](Change& it) { it.found = Found::kWithoutBlocks; })});
  add("an id that another has", {with(Of(Kind::kPut, "new"), [](Change& it) { it.id = 17; })});
  add("a large value under an id that another has", {with(Of(Kind::kPut, "new"), [&](Change& it) {
        it.id = 16;
        it.data = AsBytes(kilobytes);
      })});
  add("blocks in another shard", {Blocks("large", 1 - owner, {BlockOf(1 - owner, 1)})});
  add("blocks that others have", {Blocks("large", owner, {BlockOf(owner, 1), BlockOf(owner, 2)})});
  add("a block twice", {Blocks("large", owner, {BlockOf(owner, 1), BlockOf(owner, 1)})});
  add("a block behind the file's end", {Blocks("large", owner, {{format::kMaxNumber - 1, 1}})});
  add("blocks of other bytes", {Blocks("large", owner, {{1, 1}})});
  add("blocks of an entry that is absent", {Blocks("absent", owner, {BlockOf(owner, 1)})});
  add("no blocks", {Blocks("large", owner, {})});
  add("to itself", {with(Of(Kind::kMove, "large"), [](Change& it) { it.to_name = "large"; })});
  add("exchanged with itself",
      {with(Of(Kind::kExchange, "large"), [](Change& it) { it.to_name = "large"; })});
  add("its own content",
      {with(Of(Kind::kTakeContent, "large"), [](Change& it) { it.to_name = "large"; })});
  for (const char* giver : {"direct", "later", "moved"}) {
    add("a content of a shard that may be another",
        {with(Of(Kind::kTakeContent, "large"), [&](Change& it) { it.to_name = giver; })});
  }
  for (const uint64_t content : {uint64_t{0}, uint64_t{16}, uint64_t{18}, uint64_t{19},
                                 uint64_t{20}, uint64_t{21}, format::kMaxId}) {
    for (const uint64_t end : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      add("a content freed that is in use, or none", {with(Of(Kind::kReclaim, ""), [&](Change& it) {
            it.content = content;
            it.end = end;
          })});
    }
  }
  add("as large as can be",
      {with(Of(Kind::kResize, "direct"), [](Change& it) { it.size = kTop - 1; }),
       with(Of(Kind::kPunch, "direct"), [](Change& it) { it.length = kTop - 1; }),
       with(Of(Kind::kResize, "direct"), [](Change& it) { it.size = 3; })});
  add("data for what has none", {with(Of(Kind::kErase, "direct"), [&](Change& it) {
        it.data = AsBytes(kilobytes);
        it.meta = "meta";
      })});
  for (const auto& [what, changes] : cases) {
    SCOPED_TRACE(what);
    Change before = Of(Kind::kPut, "before", kRootDirectory),
           after = Of(Kind::kPut, "after", kRootDirectory);
    before.data = AsBytes("before");
    after.id = 1001;
    after.data = AsBytes("after");
    const auto disk = With({Payload({before}), Payload(changes), Payload({after})});
    const auto copy = disk->CrashImage({CrashChoice::Kind::kAll, 0});
    const auto store = Open(*copy);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->Get("before").value_or("none"), "before");
    EXPECT_EQ((*store)->Get("after").value_or("none"), "after");
    for (int i = 2; i < 60; ++i) EXPECT_TRUE((*store)->Get("small " + std::to_string(i))) << i;
    EveryUse use("store", names_);
    use.All(*disk);
    if (HasFailure()) return;
  }
}

TEST_F(MadeUpLog, AContentOfAnotherShardIsNotPlaced) {
  const uint32_t owner = OwnerOf("large");
  const auto disk = With(std::vector<Change>{Blocks("large", 1 - owner, {BlockOf(1 - owner, 1)})});
  const auto store = Open(*disk).value();
  EXPECT_EQ(store->Stat({kOther, "large"}).error().code, ErrorCode::kCorrupt);
}

// Every byte of a record of each kind is changed, and the record is truncated at every length.
TEST_F(MadeUpLog, EveryByteOfAChange) {
  const uint32_t owner = OwnerOf("large");
  Change put = Of(Kind::kPut, "small 5", kRootDirectory), write = Of(Kind::kWrite, "later");
  put.meta = "m";
  put.data = write.data = AsBytes("data");
  Change punch = Of(Kind::kPunch, "large"), allocate = Of(Kind::kAllocate, "large");
  punch.length = allocate.length = 9000;
  Change resize = Of(Kind::kResize, "large"), exchange = Of(Kind::kExchange, "large");
  resize.size = 5;
  exchange.meta = exchange.to_meta = "mm";
  const std::vector<Change> changes = {put,
                                       write,
                                       punch,
                                       allocate,
                                       resize,
                                       exchange,
                                       Of(Kind::kMove, "large"),
                                       Of(Kind::kTakeContent, "large"),
                                       Of(Kind::kErase, "large"),
                                       Of(Kind::kReclaim, ""),
                                       Blocks("later", owner, {BlockOf(owner, 1)})};
  EveryUse use("store", {{kRootDirectory, "small 5"}, {kOther, "large"}, {kOther, "direct"}});
  for (const Change& change : changes) {
    const std::vector<std::byte> payload = Payload({change});
    for (size_t at = 0; at < payload.size(); at += kIsSanitized ? 3 : 1) {
      SCOPED_TRACE("byte " + std::to_string(at) + " of a change of kind " +
                   std::to_string(static_cast<int>(change.kind)));
      for (const std::byte value : {std::byte{0}, std::byte{0xff}, payload[at] ^ std::byte{1}}) {
        std::vector<std::byte> changed = payload;
        changed[at] = value;
        use.Change(*With({changed}));
      }
      use.Read(*With({std::vector<std::byte>(payload.begin(), payload.begin() + at)}));
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(use.openings(), 100u);
  EXPECT_GT(use.refusals(), 100u);
}

}  // namespace
}  // namespace kvfs
