// Pages that CheckPage refuses: damaged ones, pages of another place or time, and forged ones under
// correct checksums. Accepted pages are read within bounds, whatever they contain.
#include "store/format/page.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "store/format/branch.h"
#include "store/format/entry.h"
#include "store/format/leaf.h"
#include "store/format/name_hash.h"
#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

constexpr uint64_t kSeed = 42;
constexpr PagePointer kSelf{3, 8};
constexpr NameHash kHash{7, 0};

using Page = std::vector<std::byte>;

LeafRecord Named(uint64_t directory, std::string_view name, uint64_t version,
                 std::string_view value) {
  return {{directory, kHash.PositionOf(name), name}, version, AsBytes(value)};
}

Page Leaf() {
  std::vector<LeafRecord> records = {Named(1, "a", 300, "first value"), Named(1, "b", 2, "second"),
                                     Named(2, "a", 3, "")};
  if (records[1].key < records[0].key) std::swap(records[0], records[1]);
  records.push_back({{kFirstOwnDirectory, 5, {}}, 4, AsBytes("numbered")});
  Page page(kMinPageBytes);
  EncodeLeaf(records, 0, kSelf, kSeed, page);
  return page;
}

Page Branch() {
  const BranchRecord records[] = {
      {{0, 0, {}}, {10, 5}, 3}, {{1, 20, "m"}, {11, 6}, 4}, {{1, 30, {}}, {12, 7}, 5}};
  Page page(kMinPageBytes);
  EncodeBranch(records, kSelf, kSeed, page);
  return page;
}

Result<void> Check(const Page& page) { return CheckPage(page, kSeed, kSelf); }

TEST(CheckPage, AcceptsSoundPages) {
  EXPECT_TRUE(Check(Leaf()));
  EXPECT_TRUE(Check(Branch()));
}

TEST(CheckPage, RefusesEveryBitFlip) {
  for (const Page& page : {Leaf(), Branch()}) {
    ForEachBitFlip(page, [](Bytes damaged, size_t bit) {
      EXPECT_FALSE(CheckPage(damaged, kSeed, kSelf)) << "bit " << bit;
    });
  }
}

TEST(CheckPage, RefusesPagesOfAnotherPlaceOrTime) {
  const Page page = Leaf();
  EXPECT_FALSE(CheckPage(page, kSeed, {4, 8})) << "another number";
  EXPECT_FALSE(CheckPage(page, kSeed, {3, 9})) << "another epoch";
  EXPECT_FALSE(CheckPage(page, kSeed + 1, kSelf)) << "another shard";
}

TEST(CheckPage, RefusesZeros) { EXPECT_FALSE(Check(Page(kMinPageBytes))); }

// Pages that only an attacker who computes checksums can make.
struct HostileCase {
  const char* name;
  Page (*page)();
  void (*harm)(std::byte* page);
};

void PrintTo(const HostileCase& hostile, std::ostream* out) { *out << hostile.name; }

void Set(std::byte* at, size_t value) { StoreLittle(at, static_cast<uint16_t>(value)); }
uint16_t Get(const std::byte* at) { return LoadLittle<uint16_t>(at); }
void Set64(std::byte* at, uint64_t value) { StoreLittle(at, value); }

constexpr size_t kKind = 24, kCount = 26, kEnd = 28, kGroups = 40;
constexpr size_t kLeafGroups = 3;
constexpr size_t kFirstGroup = kPageHeaderBytes;
constexpr size_t SlotAt(size_t index) {
  return kPageHeaderBytes + kLeafGroups * kLeafGroupBytes + index * kLeafSlotBytes;
}
size_t RecordAt(const std::byte* page, size_t index) { return Get(page + SlotAt(index) + 4); }
constexpr size_t ItemAt(size_t index) { return kPageHeaderBytes + index * kBranchItemBytes; }

const HostileCase kHostile[] = {
    {"UnknownKind", Leaf, [](std::byte* page) { Set(page + kKind, 0x4141); }},
    {"LeafCalledABranch", Leaf,
     [](std::byte* page) { Set(page + kKind, static_cast<uint16_t>(PageKind::kBranch)); }},
    {"BranchCalledALeaf", Branch,
     [](std::byte* page) { Set(page + kKind, static_cast<uint16_t>(PageKind::kLeaf)); }},
    {"LeafWithoutRecords", Leaf, [](std::byte* page) { Set(page + kCount, 0); }},
    {"BranchWithoutRecords", Branch, [](std::byte* page) { Set(page + kCount, 0); }},
    {"LeafCountTooLarge", Leaf, [](std::byte* page) { Set(page + kCount, 0xffff); }},
    {"LeafCountOneMore", Leaf, [](std::byte* page) { Set(page + kCount, 5); }},
    {"LeafCountOneLess", Leaf, [](std::byte* page) { Set(page + kCount, 3); }},
    {"BranchCountTooLarge", Branch, [](std::byte* page) { Set(page + kCount, 0xffff); }},
    {"EndBeyondThePage", Leaf, [](std::byte* page) { Set(page + kEnd, kMinPageBytes + 1); }},
    {"EndInTheSlots", Leaf, [](std::byte* page) { Set(page + kEnd, SlotAt(2)); }},
    {"EndInTheLastRecord", Leaf, [](std::byte* page) { Set(page + kEnd, RecordAt(page, 3) + 1); }},
    {"NoGroups", Leaf, [](std::byte* page) { Set(page + kGroups, 0); }},
    {"TooManyGroups", Leaf, [](std::byte* page) { Set(page + kGroups, 0xffff); }},
    {"MoreGroupsThanRecords", Leaf, [](std::byte* page) { Set(page + kGroups, 5); }},
    {"RecordsBeforeTheFirstGroup", Leaf, [](std::byte* page) { Set(page + kFirstGroup + 8, 1); }},
    {"GroupsOutOfOrder", Leaf, [](std::byte* page) { Set64(page + kFirstGroup, 3); }},
    {"TwoGroupsOfOneSpace", Leaf, [](std::byte* page) { Set64(page + kFirstGroup, 2); }},
    {"EmptyGroup", Leaf, [](std::byte* page) { Set(page + kFirstGroup + 10 + 8, 0); }},
    {"GroupBeyondTheRecords", Leaf,
     [](std::byte* page) {
       Set(page + kFirstGroup + 10 + 8, 5);
       Set(page + kFirstGroup + 20 + 8, 6);
     }},
    {"RecordInTheHeader", Leaf, [](std::byte* page) { Set(page + SlotAt(0) + 4, 0); }},
    {"RecordInTheSlots", Leaf, [](std::byte* page) { Set(page + SlotAt(0) + 4, SlotAt(1)); }},
    {"RecordBeyondThePage", Leaf, [](std::byte* page) { Set(page + SlotAt(1) + 4, 0xffff); }},
    {"RecordsOutOfPlace", Leaf,
     [](std::byte* page) { Set(page + SlotAt(2) + 4, RecordAt(page, 1)); }},
    {"NameBeyondTheRecord", Leaf,
     [](std::byte* page) { page[RecordAt(page, 3)] = std::byte{200}; }},
    {"VersionBeyondTheRecord", Leaf,
     [](std::byte* page) {
       // The last record of directory 2: name, version 3, no value.
       page[RecordAt(page, 3) - 1] = std::byte{0x83};
     }},
    {"NameOfABranchInItsItems", Branch, [](std::byte* page) { Set(page + ItemAt(1) + 34, 60); }},
    {"NameOfABranchAtItsEnd", Branch,
     [](std::byte* page) { Set(page + ItemAt(1) + 34, Get(page + kEnd)); }},
    {"NameOfABranchBeyondItsEnd", Branch,
     [](std::byte* page) { page[Get(page + ItemAt(1) + 34)] = std::byte{2}; }},
};

class HostilePage : public testing::TestWithParam<HostileCase> {};

TEST_P(HostilePage, IsRefused) {
  Page page = GetParam().page();
  GetParam().harm(page.data());
  SealPage(page, kSeed);
  const auto checked = Check(page);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(checked.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(Cases, HostilePage, testing::ValuesIn(kHostile),
                         [](const auto& hostile) { return hostile.param.name; });

TEST(CheckOrder, AcceptsPagesInOrder) {
  for (const Page& page : {Leaf(), Branch()}) {
    EXPECT_TRUE(CheckOrder(PageView(page.data(), kMinPageBytes), kHash));
  }
}

const HostileCase kOutOfOrder[] = {
    {"LeafSlots", Leaf,
     [](std::byte* page) {
       // Swaps the fingerprints of the first two records.
       const auto first = LoadLittle<uint32_t>(page + SlotAt(0));
       StoreLittle(page + SlotAt(0), LoadLittle<uint32_t>(page + SlotAt(1)));
       StoreLittle(page + SlotAt(1), first);
     }},
    {"NameWithAnotherHash", Leaf,
     [](std::byte* page) { page[RecordAt(page, 0) + 1] = std::byte{'x'}; }},
    {"BranchKeys", Branch, [](std::byte* page) { Set64(page + ItemAt(2) + 8, 10); }},
    {"EqualBranchKeys", Branch,
     [](std::byte* page) { std::memcpy(page + ItemAt(2), page + ItemAt(1), kBranchItemBytes); }},
};

class PageOutOfOrder : public testing::TestWithParam<HostileCase> {};

TEST_P(PageOutOfOrder, PassesCheckPageAndFailsCheckOrder) {
  Page page = GetParam().page();
  GetParam().harm(page.data());
  SealPage(page, kSeed);
  EXPECT_TRUE(Check(page));
  const auto checked = CheckOrder(PageView(page.data(), kMinPageBytes), kHash);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
}

INSTANTIATE_TEST_SUITE_P(Cases, PageOutOfOrder, testing::ValuesIn(kOutOfOrder),
                         [](const auto& hostile) { return hostile.param.name; });

// Reads everything in a page. A sanitizer detects reads outside the page.
void ReadEverything(const Page& page) {
  const PageView view(page.data(), kMinPageBytes);
  const RecordKey keys[] = {{}, {1, 20, "m"}, Named(1, "a", 0, "").key, {~0ull, ~0ull, "zz"}};
  if (view.IsLeaf()) {
    const LeafView leaf(view, kHash);
    for (uint32_t i = 0; i < view.count(); ++i) static_cast<void>(leaf.Record(i));
    for (const RecordKey& key : keys) {
      static_cast<void>(leaf.Find(key));
      EXPECT_LE(leaf.LowerBound(key), view.count());
    }
  } else {
    const BranchView branch(view);
    for (uint32_t i = 0; i < view.count(); ++i) static_cast<void>(branch.Key(i));
    for (const RecordKey& key : keys) EXPECT_LT(branch.ChildIndex(key), view.count());
  }
  static_cast<void>(CheckOrder(view, kHash));
}

TEST(CheckPage, WhatItAcceptsIsReadInBounds) {
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Page page = round % 2 ? Leaf() : Branch();
    const size_t interesting = 256;
    for (int i = 0; i < 3; ++i) {
      page[8 + random() % interesting] = static_cast<std::byte>(random() % 2 ? random() : 0xff);
    }
    kSelf.Encode(page.data() + 8);
    SealPage(page, kSeed);
    if (!Check(page)) continue;
    ++accepted;
    ReadEverything(page);
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace kvfs::format
