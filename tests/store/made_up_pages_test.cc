// Forged pages, checkpoints and maps under correct checksums: one field of one record is changed,
// and the store is used in every way, closed or with a log to replay over it. Contradictions are
// reported as damage; nothing crashes, hangs or is reported as a failure of the machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

#include <kvfs/repair.h>
#include "store/format/branch.h"
#include "store/format/checksum.h"
#include "store/format/chunk.h"
#include "store/format/entry.h"
#include "store/format/leaf.h"
#include "store/format/name_hash.h"
#include "store/format/superblock.h"
#include "tests/fuzz/damaged_store.h"
#include "tests/store/every_use.h"
#include "tests/support/sanitized.h"

namespace kvfs {
namespace {

using format::BlockPointer;
using format::BranchRecord;
using format::Chunk;
using format::Entry;
using format::LeafRecord;
using format::PagePointer;
using format::RecordKey;
using format::ShardRoot;
using fuzz::StoreImage;

constexpr uint32_t kPageBytes = 4096;
constexpr uint64_t kTop = uint64_t{1} << 63;
constexpr uint64_t kNumbers[] = {
    0, 1, 2, 16, 1000, format::kMaxNumber - 1, format::kMaxNumber, kTop, ~uint64_t{0}};
// Sizes at which a content changes its shape, and impossibly large ones.
constexpr uint64_t kSizes[] = {0,
                               1,
                               512,
                               513,
                               4096,
                               8 * 4096 + 512,
                               8 * 4096 + 513,
                               100 * 4096,
                               uint64_t{1} << 40,
                               uint64_t{1} << 62,
                               kTop - 1,
                               kTop};

struct Place {
  uint32_t shard = 0;
  PagePointer page;
  bool is_leaf = false;
};

std::string KeysPath(uint32_t shard) { return "store/shard-0" + std::to_string(shard) + ".keys"; }
std::string ValuesPath(uint32_t shard) {
  return "store/shard-0" + std::to_string(shard) + ".values";
}

// A store's files, decoded for reading and writing.
class Surgery {
 public:
  explicit Surgery(StoreImage image) : image_(std::move(image)) {
    image_.files.erase("store/identity");  // otherwise a repair would use its copy
    for (const uint32_t shard : {0u, 1u}) Walk(shard, Checkpoint().shards[shard].root);
  }

  const std::vector<Place>& places() const { return places_; }
  std::unique_ptr<MemoryEnv> Disk() const { return fuzz::DiskOf(image_); }

  format::Checkpoint Checkpoint() {
    const Bytes slot = Part("store/superblock", format::kSlotOffset[0], 8192);
    return format::Checkpoint::Decode(slot, image_.identity.store, 2).value();
  }
  void SetCheckpoint(const format::Checkpoint& checkpoint) {
    const auto bytes = checkpoint.Encode(image_.identity.store);
    for (const uint64_t slot : format::kSlotOffset) {
      CopyBytes(Part("store/superblock", slot, bytes.size()).data(), bytes);
    }
  }

  // They borrow from the page, which is not changed.
  std::vector<LeafRecord> RecordsOf(const Place& place) {
    const format::NameHash hash = Hash();
    const format::LeafView leaf(View(place), hash);
    std::vector<LeafRecord> records;
    for (uint32_t i = 0; i < leaf.count(); ++i) records.push_back(leaf.Record(i));
    return records;
  }
  std::vector<BranchRecord> ChildrenOf(const Place& place) {
    const format::BranchView branch(View(place));
    std::vector<BranchRecord> records;
    for (uint32_t i = 0; i < branch.count(); ++i) {
      records.push_back({branch.Key(i), branch.Child(i), branch.Count(i)});
    }
    return records;
  }
  // False if they do not fit.
  bool SetRecords(const Place& place, std::vector<LeafRecord> records, uint8_t flags = 0) {
    for (LeafRecord& record : records) {
      if (!record.key.name.empty()) record.key.position = Hash().PositionOf(record.key.name);
    }
    std::ranges::sort(records, {}, &LeafRecord::key);
    uint32_t bytes = 0;
    for (size_t i = 0; i < records.size(); ++i) {
      const bool begins_group = i == 0 || records[i - 1].key.directory != records[i].key.directory;
      bytes += format::LeafRecordBytes(records[i]) + (begins_group ? format::kLeafGroupBytes : 0);
    }
    if (records.empty() || bytes > format::PageCapacityBytes(kPageBytes)) return false;
    std::vector<std::byte> page(kPageBytes);
    format::EncodeLeaf(records, flags, place.page, Seed(place.shard), page);
    CopyBytes(PageOf(place).data(), page);
    return true;
  }
  void SetChildren(const Place& place, const std::vector<BranchRecord>& children) {
    std::vector<std::byte> page(kPageBytes);
    format::EncodeBranch(children, place.page, Seed(place.shard), page);
    CopyBytes(PageOf(place).data(), page);
  }
  MutableBytes Block(uint32_t shard, uint64_t number) {
    return Part(ValuesPath(shard), number * format::kBlockBytes, format::kBlockBytes);
  }
  uint64_t Seed(uint32_t shard) const { return image_.identity.ShardSeed(shard); }
  format::NameHash Hash() const { return image_.identity.NamesHash(); }

 private:
  MutableBytes Part(const std::string& path, uint64_t begin, uint64_t length) {
    std::string& bytes = image_.files[path];
    bytes.resize(std::max<size_t>(bytes.size(), begin + length));
    return std::as_writable_bytes(std::span(bytes)).subspan(begin, length);
  }
  MutableBytes PageOf(const Place& place) {
    return Part(KeysPath(place.shard), place.page.number * kPageBytes, kPageBytes);
  }
  format::PageView View(const Place& place) {
    const MutableBytes bytes = PageOf(place);
    kept_.emplace_back(bytes.begin(), bytes.end());
    return {kept_.back().data(), kPageBytes};
  }
  void Walk(uint32_t shard, PagePointer page) {
    Place place{shard, page};
    place.is_leaf = View(place).IsLeaf();
    places_.push_back(place);
    if (place.is_leaf) return;
    for (const BranchRecord& child : ChildrenOf(place)) Walk(shard, child.child);
  }

  StoreImage image_;
  std::vector<Place> places_;
  std::deque<std::vector<std::byte>> kept_;
};

using Records = std::vector<LeafRecord>;

class MadeUpPages : public testing::TestWithParam<bool> {
 protected:
  static const StoreImage& Image() {
    return GetParam() ? fuzz::KilledStore() : fuzz::ClosedStore();
  }

  MadeUpPages()
      : use_("store", {{kRootDirectory, "small 5"},
                       {kRootDirectory, "empty"},
                       {100, "direct"},
                       {100, "large"},
                       {100, "later"},
                       {100, "moved"}}) {}

  // Only one of this many cases is tried if each takes long.
  void Try(const Surgery& surgery) {
    if (++cases_ % (kRepeatsLess ? 7 : 1) != 0) return;
    const auto disk = surgery.Disk();
    GetParam() ? use_.Change(*disk) : use_.All(*disk);
  }

  // Of many similar records, only some are changed.
  static bool IsChosen(const LeafRecord& record) {
    return !record.key.name.starts_with("small") || record.key.name.ends_with(" 5");
  }
  // Calls edit(records, index, try) for each record of a leaf, which calls `try` for each variant.
  using Edit = std::function<void(Surgery&, Records&, size_t, const std::function<void()>&)>;
  void EditEachRecord(const Edit& edit) {
    const Surgery whole(Image());
    for (const Place& place : whole.places()) {
      if (!place.is_leaf) continue;
      Surgery surgery(Image());
      const Records records = surgery.RecordsOf(place);
      for (size_t i = 0; i < records.size(); ++i) {
        if (!IsChosen(records[i])) continue;
        SCOPED_TRACE("directory " + std::to_string(records[i].key.directory) + ", \"" +
                     std::string(records[i].key.name) + "\"");
        Records edited = records;
        edit(surgery, edited, i, [&] {
          if (!HasFailure() && surgery.SetRecords(place, edited)) Try(surgery);
          edited = records;
        });
        if (HasFailure()) return;
      }
    }
    EXPECT_GT(cases_, 10u);
  }
  template <typename Change>
  void EditEachEntry(Change change) {
    EditEachRecord([&](Surgery& surgery, Records& records, size_t i, const auto& attempt) {
      LeafRecord& record = records[i];
      if (record.key.directory >= format::kFirstOwnDirectory) return;
      const Entry entry = Entry::Decode(record.value, format::InlineLimitBytes(kPageBytes)).value();
      change(surgery, entry, [&](const Entry& changed) {
        std::vector<std::byte> value;
        changed.Encode(format::InlineLimitBytes(kPageBytes), &value);
        records[i].value = value;
        attempt();
      });
    });
  }
  // Calls edit(root, try) for the roots of both shards.
  void EditEachRoot(const std::function<void(ShardRoot&, const std::function<void()>&)>& edit) {
    for (const size_t shard : {size_t{0}, size_t{1}}) {
      Surgery surgery(Image());
      const format::Checkpoint checkpoint = surgery.Checkpoint();
      format::Checkpoint edited = checkpoint;
      edit(edited.shards[shard], [&] {
        surgery.SetCheckpoint(edited);
        if (!HasFailure()) Try(surgery);
        edited = checkpoint;
      });
    }
  }

  EveryUse use_;
  size_t cases_ = 0;
};

TEST_P(MadeUpPages, SurgeryThatChangesNothingHarmsNothing) {
  Surgery surgery(Image());
  for (const Place& place : surgery.places()) {
    if (place.is_leaf) {
      ASSERT_TRUE(surgery.SetRecords(place, surgery.RecordsOf(place)));
    } else {
      surgery.SetChildren(place, surgery.ChildrenOf(place));
    }
  }
  surgery.SetCheckpoint(surgery.Checkpoint());
  const auto disk = surgery.Disk();
  const auto store = Store::Open(*disk, "store").value();
  EXPECT_EQ(Difference(Image().states.back(), ReadStore(*store).value()), "");
  EXPECT_TRUE(store->Check({})->IsSound());
}

TEST_P(MadeUpPages, SizesOfContents) {
  EditEachEntry([](Surgery&, Entry entry, const auto& attempt) {
    for (const uint64_t size : kSizes) {
      entry.size = size;
      attempt(entry);
    }
  });
}

TEST_P(MadeUpPages, IdsAndContents) {
  EditEachEntry([](Surgery&, const Entry& entry, const auto& attempt) {
    for (const uint64_t number : {uint64_t{0}, uint64_t{16}, uint64_t{17}, entry.id + 1,
                                  format::kMaxId, format::kMaxId + 1}) {
      Entry changed = entry;
      changed.id = number;
      attempt(changed);
      if (entry.content == 0) continue;
      changed = entry;
      changed.content = number;
      attempt(changed);
      changed.id = number;  // both of another shard
      attempt(changed);
      changed = entry;
      changed.allocated = number;
      attempt(changed);
    }
  });
}

TEST_P(MadeUpPages, BlocksOfEntries) {
  EditEachEntry([](Surgery&, const Entry& entry, const auto& attempt) {
    if (entry.direct.empty()) return;
    const auto shape = format::ContentShape::Of(entry.size, format::InlineLimitBytes(kPageBytes));
    std::vector<BlockPointer> blocks(shape.blocks);
    format::DecodeBlockList(entry.direct, blocks);
    for (const uint64_t number : kNumbers) {
      for (const uint64_t flag : {uint64_t{0}, BlockPointer::kUnwritten}) {
        std::vector<BlockPointer> changed = blocks;
        changed[0].number = number | flag;
        if (changed.size() > 1) changed[1] = changed[0];  // one block in two places
        std::vector<std::byte> list;
        format::AppendBlockList(changed, &list);
        Entry with = entry;
        with.direct = list;
        attempt(with);
      }
    }
  });
}

TEST_P(MadeUpPages, BlocksOfChunks) {
  EditEachRecord([](Surgery&, Records& records, size_t i, const auto& attempt) {
    const uint64_t directory = records[i].key.directory;
    if (directory < format::kFirstOwnDirectory || directory == format::kOrphanDirectory) return;
    const Chunk chunk = Chunk::Decode(records[i].value).value();
    const auto with = [&](const Chunk& changed) {
      const std::vector<std::byte> value = changed.Encode();
      records[i].value = value;
      attempt();
    };
    for (const size_t at : {size_t{0}, size_t{5}, size_t{31}}) {
      for (const uint64_t number : kNumbers) {
        Chunk changed = chunk;
        changed.blocks[at].number = number;
        with(changed);
      }
    }
  });
}

// Nearly all of it is a hole, and the place of the rest is unknown: the loss is reported as a few
// ranges.
TEST_P(MadeUpPages, AContentLargerThanAnyDiskIsRepairedWhateverIsLostOfIt) {
  Surgery surgery(Image());
  const std::vector<std::byte> no_chunk = {std::byte{0xff}};
  std::vector<std::byte> value;
  for (const Place& place : surgery.places()) {
    if (!place.is_leaf) continue;
    Records records = surgery.RecordsOf(place);
    for (LeafRecord& record : records) {
      if (record.key.name == "large") {
        Entry entry = Entry::Decode(record.value, format::InlineLimitBytes(kPageBytes)).value();
        entry.size = (uint64_t{1} << 62) + entry.size % format::kBlockBytes;
        entry.Encode(format::InlineLimitBytes(kPageBytes), &value);
        record.value = value;
      } else if (record.key.directory > kTop && record.key.directory != format::kOrphanDirectory) {
        record.key.position = uint64_t{1} << 40;
        record.value = no_chunk;
      }
    }
    ASSERT_TRUE(surgery.SetRecords(place, records));
  }
  ASSERT_FALSE(value.empty());
  const auto disk = surgery.Disk();
  std::vector<std::string> losses;
  RepairOptions options;
  options.on_loss = [&losses](std::string_view loss) { losses.emplace_back(loss); };
  ASSERT_TRUE(RepairStore(*disk, "store", "repaired", options));
  EXPECT_GE(losses.size(), 1u);
  EXPECT_LE(losses.size(), 6u) << losses.front();
  const auto repaired = Store::Open(*disk, "repaired").value();
  EXPECT_GE(repaired->Stat({100, "large"})->size_bytes, uint64_t{1} << 62);
}

TEST_P(MadeUpPages, EachByteOfAValue) {
  EditEachRecord([](Surgery&, Records& records, size_t i, const auto& attempt) {
    const Bytes value = records[i].value;
    for (size_t at = 0; at < std::min<size_t>(value.size(), 12); ++at) {
      for (const std::byte byte : {std::byte{0}, std::byte{0xff}, value[at] ^ std::byte{1}}) {
        std::vector<std::byte> changed(value.begin(), value.end());
        changed[at] = byte;
        records[i].value = changed;
        attempt();
      }
      records[i].value = value.first(at);
      attempt();
    }
    const std::vector<std::byte> lost = Entry::Lost();
    records[i].value = lost;
    attempt();
  });
}

TEST_P(MadeUpPages, KeysOfRecords) {
  EditEachRecord([](Surgery&, Records& records, size_t i, const auto& attempt) {
    const RecordKey key = records[i].key;
    for (const uint64_t directory : {uint64_t{0}, kRootDirectory, uint64_t{100}, kTop - 1,
                                     kTop | 16, kTop | 17, kTop | 1000, format::kOrphanDirectory}) {
      records[i].key.directory = directory;
      attempt();
      records[i].key = {directory, 16, {}};
      attempt();
    }
    for (const uint64_t position :
         {uint64_t{0}, uint64_t{1}, uint64_t{1} << 58, uint64_t{1} << 59, kTop - 1, ~uint64_t{0}}) {
      records[i].key = {key.directory, position, {}};
      attempt();
    }
    const std::string_view names[] = {"a", "b", "another name", "large", "small 5"};
    for (const std::string_view name : names) {
      records[i].key.name = name;
      attempt();
    }
    for (const uint64_t version : {uint64_t{0}, ~uint64_t{0}}) {
      records[i].version = version;
      attempt();
    }
    records.erase(records.begin() + static_cast<ptrdiff_t>(i));
    attempt();
  });
}

TEST_P(MadeUpPages, ContentsThatAreLetGoOf) {
  const Surgery whole(Image());
  for (const Place& place : whole.places()) {
    if (!place.is_leaf) continue;
    for (uint64_t content = 0; content < 30; ++content) {
      Surgery surgery(Image());
      Records records = surgery.RecordsOf(place);
      const auto from = format::EncodeFirstLeft(content % 3 == 0 ? 0 : ~uint64_t{0} / content);
      records.resize(std::min<size_t>(records.size(), 5));
      records.push_back({{format::kOrphanDirectory, content, {}}, 1, from});
      if (surgery.SetRecords(place, records)) Try(surgery);
      if (HasFailure()) return;
    }
  }
}

TEST_P(MadeUpPages, LeavesThatAreIncomplete) {
  const Surgery whole(Image());
  for (const Place& place : whole.places()) {
    if (!place.is_leaf) continue;
    Surgery surgery(Image());
    ASSERT_TRUE(surgery.SetRecords(place, surgery.RecordsOf(place), format::kIncompleteLeaf));
    Try(surgery);
  }
}

TEST_P(MadeUpPages, Branches) {
  const Surgery whole(Image());
  size_t branches = 0;
  for (const Place& place : whole.places()) {
    if (place.is_leaf) continue;
    ++branches;
    Surgery surgery(Image());
    const std::vector<BranchRecord> children = surgery.ChildrenOf(place);
    for (size_t i = 0; i < children.size(); ++i) {
      const auto with = [&](auto edit) {
        std::vector<BranchRecord> changed = children;
        edit(changed);
        surgery.SetChildren(place, changed);
        if (!HasFailure()) Try(surgery);
      };
      for (const uint64_t number : kNumbers) {
        with([&](auto& it) { it[i].child.number = number; });
        with([&](auto& it) { it[i].child.epoch = number; });
        with([&](auto& it) { it[i].key.position = number; });
        with([&](auto& it) { it[i].key.directory = number; });
        with([&](auto& it) { it[i].count = static_cast<uint32_t>(number & 0xffff); });
      }
      with([&](auto& it) { it[i].child = place.page; });  // a cycle
      with([&](auto& it) { it[i].child = children[(i + 1) % children.size()].child; });
      with([&](auto& it) { it[i].key.name = "a name"; });
      with([&](auto& it) { it = {children[i]}; });
    }
  }
  EXPECT_GT(branches, 0u);
}

TEST_P(MadeUpPages, Roots) {
  EditEachRoot([](ShardRoot& root, const auto& attempt) {
    uint64_t* const numbers[] = {&root.root.number,
                                 &root.root.epoch,
                                 &root.page_map.root.number,
                                 &root.block_map.root.number,
                                 &root.page_map.blocks,
                                 &root.block_map.blocks,
                                 &root.next_id,
                                 &root.entries,
                                 &root.leaves,
                                 &root.branches,
                                 &root.pages_used,
                                 &root.blocks_used,
                                 &root.orphaned_contents};
    for (uint64_t* const number : numbers) {
      for (const uint64_t value : kNumbers) {
        *number = value;
        attempt();
      }
    }
    for (uint8_t* const levels : {&root.height, &root.page_map.levels, &root.block_map.levels}) {
      for (uint8_t value = 0; value < 18; ++value) {
        *levels = value;
        attempt();
      }
    }
    std::swap(root.page_map, root.block_map);
    attempt();
  });
}

TEST_P(MadeUpPages, Maps) {
  for (auto map : {&ShardRoot::page_map, &ShardRoot::block_map}) {
    for (const uint32_t shard : {0u, 1u}) {
      for (const int how : {0, 1, 2, 3}) {
        Surgery surgery(Image());
        format::Checkpoint checkpoint = surgery.Checkpoint();
        format::MapRoot& root = checkpoint.shards[shard].*map;
        if (root.root.IsHole()) continue;
        const MutableBytes bitmap = surgery.Block(shard, root.root.number);
        if (how == 0) std::ranges::fill(bitmap, std::byte{0});
        if (how == 1) std::ranges::fill(bitmap, std::byte{0xff});
        if (how == 2) bitmap[0] ^= std::byte{0xff};
        if (how == 3) bitmap.back() = std::byte{0x80};
        root.root.checksum = format::Checksum(bitmap, surgery.Seed(shard));
        for (const uint8_t levels : {uint8_t{1}, uint8_t{2}}) {  // as a block of pointers, too
          root.levels = levels;
          surgery.SetCheckpoint(checkpoint);
          Try(surgery);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Images, MadeUpPages, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Killed" : "Closed"; });

}  // namespace
}  // namespace kvfs
