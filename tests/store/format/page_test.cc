// Pages: the editor against a std::map, and what CheckPage refuses: damage, pages of another place
// or time, and pages made on purpose that carry a right checksum.
#include "store/format/page.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>

#include "tests/store/format/damage.h"

namespace kvfs::format {
namespace {

constexpr uint64_t kSeed = 42;
constexpr PagePointer kSelf{3, 8};

// A page in memory of its own.
class Page {
 public:
  explicit Page(PageKind kind, uint32_t page_bytes = kMinPageBytes)
      : bytes_(page_bytes), editor_(bytes_.data(), page_bytes) {
    editor_.Initialize(kind, kSelf);
  }

  Page(Page&&) = default;

  PageEditor& editor() { return editor_; }
  std::byte* at(size_t offset) { return bytes_.data() + offset; }
  uint16_t Get(size_t offset) { return LoadLittle<uint16_t>(at(offset)); }
  void Set(size_t offset, size_t value) { StoreLittle(at(offset), static_cast<uint16_t>(value)); }
  size_t Slot(size_t index) { return Get(kPageHeaderBytes + kSlotBytes * index); }
  void SetSlot(size_t index, size_t to) { Set(kPageHeaderBytes + kSlotBytes * index, to); }

  Bytes Seal() {
    SealPage(bytes_.data(), static_cast<uint32_t>(bytes_.size()), kSeed);
    return bytes_;
  }
  Result<void> SealAndCheck() {
    Seal();
    return CheckPage(bytes_.data(), static_cast<uint32_t>(bytes_.size()), kSeed, kSelf);
  }

 private:
  std::vector<std::byte> bytes_;
  PageEditor editor_;
};

Page Leaf() {
  Page page(PageKind::kLeaf);
  page.editor().Append({1, 20, "a"}, AsBytes("first value"));
  page.editor().Append({1, 20, "b"}, AsBytes("second"));
  page.editor().Append({2, 10, "a"}, AsBytes(""));
  return page;
}

Page Branch() {
  std::byte child[PagePointer::kBytes];
  Page page(PageKind::kBranch);
  PagePointer{10, 5}.Encode(child);
  page.editor().Append({}, child);
  PagePointer{11, 6}.Encode(child);
  page.editor().Append({1, 20, "m"}, child);
  return page;
}

TEST(CheckPage, AcceptsSoundPages) {
  EXPECT_TRUE(Leaf().SealAndCheck());
  EXPECT_TRUE(Branch().SealAndCheck());
}

TEST(CheckPage, RefusesEveryBitFlip) {
  Page page = Leaf();
  ForEachBitFlip(page.Seal(), [](Bytes damaged, size_t bit) {
    EXPECT_FALSE(CheckPage(damaged.data(), kMinPageBytes, kSeed, kSelf)) << "bit " << bit;
  });
}

TEST(CheckPage, RefusesPagesOfAnotherPlaceOrTime) {
  Page page = Leaf();
  const std::byte* bytes = page.Seal().data();
  EXPECT_TRUE(CheckPage(bytes, kMinPageBytes, kSeed, kSelf));
  EXPECT_FALSE(CheckPage(bytes, kMinPageBytes, kSeed, {4, 8})) << "another number";
  EXPECT_FALSE(CheckPage(bytes, kMinPageBytes, kSeed, {3, 9})) << "another epoch";
  EXPECT_FALSE(CheckPage(bytes, kMinPageBytes, kSeed + 1, kSelf)) << "another shard";
}

TEST(CheckPage, RefusesZeros) {
  const std::vector<std::byte> zeros(kMinPageBytes);
  EXPECT_FALSE(CheckPage(zeros.data(), kMinPageBytes, kSeed, kSelf));
}

// One record lies inside the value of another, and as many bytes belong to none, so that the sum is
// right.
Page OverlappingLeaf() {
  Page page(PageKind::kLeaf);
  const std::string inner(20, 'x');
  page.editor().Append({1, 2, "b"}, AsBytes(inner));
  page.editor().Append({1, 1, "a"}, AsBytes(std::string(100, 'y')));
  const size_t original = page.Slot(0), outer = page.Slot(1);
  const size_t copy = outer + kRecordHeaderBytes + 10;
  CopyBytes(page.at(copy), {page.at(original), kRecordHeaderBytes + 1 + inner.size()});
  page.SetSlot(0, outer);
  page.SetSlot(1, copy);
  return page;
}

// Pages that only somebody who computes checksums can make.
struct HostileCase {
  const char* name;
  Page (*page)();
  void (*harm)(Page& page);
};

void PrintTo(const HostileCase& hostile, std::ostream* out) { *out << hostile.name; }

constexpr size_t kCount = 26, kHeapBegin = 28, kGarbage = 30;

const HostileCase kHostile[] = {
    {"UnknownKind", Leaf, [](Page& page) { page.Set(24, 0x4141); }},
    {"Empty", Leaf, [](Page& page) { page.editor().Clear(); }},
    {"CountTooLarge", Leaf, [](Page& page) { page.Set(kCount, 0xffff); }},
    {"CountBeyondTheSlots", Leaf, [](Page& page) { page.Set(kCount, 4); }},
    {"CountTooSmall", Leaf, [](Page& page) { page.Set(kCount, 2); }},
    {"HeapBeginBeyondThePage", Leaf, [](Page& page) { page.Set(kHeapBegin, kMinPageBytes + 1); }},
    {"HeapBeginInTheSlots", Leaf, [](Page& page) { page.Set(kHeapBegin, kPageHeaderBytes); }},
    {"HeapBeginTooLow", Leaf, [](Page& page) { page.Set(kHeapBegin, page.Get(kHeapBegin) - 1u); }},
    {"HeapBeginTooHigh", Leaf, [](Page& page) { page.Set(kHeapBegin, page.Get(kHeapBegin) + 1u); }},
    {"GarbageWrong", Leaf, [](Page& page) { page.Set(kGarbage, 1); }},
    {"GarbageHuge", Leaf, [](Page& page) { page.Set(kGarbage, 0xffff); }},
    {"SlotInTheHeader", Leaf, [](Page& page) { page.SetSlot(0, 0); }},
    {"SlotBelowTheHeap", Leaf, [](Page& page) { page.SetSlot(2, page.Get(kHeapBegin) - 1u); }},
    {"SlotAtThePagesEnd", Leaf, [](Page& page) { page.SetSlot(0, kMinPageBytes); }},
    {"SlotWithoutRoomForAHeader", Leaf,
     [](Page& page) { page.SetSlot(0, kMinPageBytes - kRecordHeaderBytes + 1); }},
    {"SlotBeyondThePage", Leaf, [](Page& page) { page.SetSlot(0, 0xffff); }},
    {"NameReachesBeyondThePage", Leaf,
     [](Page& page) { StoreLittle(page.at(page.Slot(0) + 16), uint8_t{255}); }},
    {"ValueReachesBeyondThePage", Leaf, [](Page& page) { page.Set(page.Slot(0) + 17, 0xffff); }},
    {"KeysOutOfOrder", Leaf,
     [](Page& page) {
       const size_t first = page.Slot(0);
       page.SetSlot(0, page.Slot(1));
       page.SetSlot(1, first);
     }},
    {"EqualKeys", Leaf,
     [](Page& page) { StoreLittle(page.at(page.Slot(1) + kRecordHeaderBytes), uint8_t{'a'}); }},
    {"OneRecordTwice", Leaf, [](Page& page) { page.SetSlot(1, page.Slot(0)); }},
    {"RecordsOverlap", OverlappingLeaf, [](Page&) {}},
    {"BranchWithoutChildren", Branch, [](Page& page) { page.editor().Clear(); }},
    {"BranchBeginsWithABound", Branch,
     [](Page& page) { StoreLittle(page.at(page.Slot(0)), uint64_t{1}); }},
    {"ChildTooShort", Branch,
     [](Page& page) { EXPECT_TRUE(page.editor().Replace(1, AsBytes("short"))); }},
    {"ChildTooLong", Branch,
     [](Page& page) { EXPECT_TRUE(page.editor().Replace(1, AsBytes("seventeen bytes.."))); }},
    {"LeafCalledABranch", Leaf,
     [](Page& page) { page.Set(24, static_cast<uint16_t>(PageKind::kBranch)); }},
};

class HostilePage : public testing::TestWithParam<HostileCase> {};

TEST_P(HostilePage, IsRefused) {
  Page page = GetParam().page();
  GetParam().harm(page);
  const auto checked = page.SealAndCheck();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(checked.error().message.find("page 3"), std::string::npos) << checked.error().message;
}

INSTANTIATE_TEST_SUITE_P(Cases, HostilePage, testing::ValuesIn(kHostile),
                         [](const auto& hostile) { return hostile.param.name; });

// An editor and a std::map that must stay the same.
class PageEditorModel : public testing::TestWithParam<std::tuple<uint32_t, unsigned>> {
 protected:
  using Key = std::tuple<uint64_t, uint64_t, std::string>;

  uint32_t page_bytes() const { return std::get<0>(GetParam()); }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  Key DrawKey() { return {Below(2), Below(5), std::string(Below(20) ? Below(12) : 255, 'n')}; }
  std::string DrawValue() {
    return std::string(Below(10) ? Below(60) : Below(page_bytes() / 4),
                       static_cast<char>('a' + Below(26)));
  }
  static RecordKey KeyOf(const Key& key) {
    return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
  }
  static uint32_t BytesOf(const Key& key, const std::string& value) {
    return RecordBytes(std::get<2>(key).size(), value.size());
  }
  uint32_t ModelBytes() const {
    uint32_t total = 0;
    for (const auto& [key, value] : model_) total += BytesOf(key, value);
    return total;
  }

  void Put(const Key& key, const std::string& value) {
    const uint32_t index = page_.editor().LowerBound(KeyOf(key));
    auto found = model_.find(key);
    const bool present = found != model_.end();
    ASSERT_EQ(page_.editor().Holds(index, KeyOf(key)), present);
    const uint32_t old = present ? BytesOf(key, found->second) : 0;
    const bool fits = ModelBytes() - old + BytesOf(key, value) <= PageCapacityBytes(page_bytes());
    const bool done = present ? page_.editor().Replace(index, AsBytes(value))
                              : page_.editor().Insert(index, KeyOf(key), AsBytes(value));
    ASSERT_EQ(done, fits) << "it takes what there is room for, and no more";
    if (done) model_[key] = value;
    if (!done) ++refused_;
  }
  void Remove(const Key& key) {
    const uint32_t index = page_.editor().LowerBound(KeyOf(key));
    if (page_.editor().Holds(index, KeyOf(key))) page_.editor().Remove(index);
    model_.erase(key);
  }

  void ExpectSame() {
    ASSERT_EQ(page_.editor().count(), model_.size());
    EXPECT_EQ(page_.editor().UsedBytes(), ModelBytes());
    uint32_t index = 0;
    for (const auto& [key, value] : model_) {
      EXPECT_EQ(page_.editor().Key(index), KeyOf(key));
      EXPECT_EQ(AsText(page_.editor().Value(index)), value);
      ++index;
    }
    if (model_.empty()) return;
    const auto sound = page_.SealAndCheck();
    EXPECT_TRUE(sound) << sound.error().message;
  }

  Page page_{PageKind::kLeaf, std::get<0>(GetParam())};
  std::map<Key, std::string> model_;
  std::mt19937 random_{std::get<1>(GetParam())};
  int refused_ = 0;
};

TEST_P(PageEditorModel, HoldsWhatAMapHolds) {
  for (int step = 0; step < 3000; ++step) {
    SCOPED_TRACE("seed " + std::to_string(std::get<1>(GetParam())) + " step " +
                 std::to_string(step));
    // Fills up, then empties, then fills up again.
    if (Below(100) < (step / 500 % 2 ? 60u : 10u)) {
      Remove(DrawKey());
    } else {
      Put(DrawKey(), DrawValue());
    }
    ExpectSame();
    if (HasFailure()) return;
  }
  EXPECT_GT(refused_, 0) << "the page has never been full";
}

INSTANTIATE_TEST_SUITE_P(Seeds, PageEditorModel,
                         testing::Combine(testing::Values(4096u, 32768u), testing::Range(1u, 4u)));

TEST(PageEditor, TakesTwoOfTheLargestRecords) {
  for (uint32_t page_bytes = kMinPageBytes; page_bytes <= kMaxPageBytes; page_bytes *= 2) {
    Page page(PageKind::kLeaf, page_bytes);
    const std::string value(MaxRecordBytes(page_bytes) - RecordBytes(1, 0), 'v');
    EXPECT_TRUE(page.editor().Insert(0, {1, 1, "a"}, AsBytes(value)));
    EXPECT_TRUE(page.editor().Insert(1, {1, 1, "b"}, AsBytes(value)));
    EXPECT_FALSE(page.editor().Insert(2, {1, 1, "c"}, AsBytes("")));
    EXPECT_TRUE(page.SealAndCheck());
  }
}

TEST(PageEditor, ReplacesAValueBySomeOfTheRoomThatItLeaves) {
  Page page(PageKind::kLeaf);
  const std::string half(MaxRecordBytes(kMinPageBytes) - RecordBytes(1, 0), 'v');
  EXPECT_TRUE(page.editor().Insert(0, {1, 1, "a"}, AsBytes(half)));
  EXPECT_TRUE(page.editor().Insert(1, {1, 1, "b"}, AsBytes(half)));
  const std::string other(half.size() - 1, 'w');
  EXPECT_TRUE(page.editor().Replace(0, AsBytes(other)));
  EXPECT_EQ(AsText(page.editor().Value(0)), other);
  EXPECT_EQ(AsText(page.editor().Value(1)), half);
  EXPECT_FALSE(page.editor().Replace(0, AsBytes(half + "x"))) << "no room, no change";
  EXPECT_EQ(AsText(page.editor().Value(0)), other);
}

TEST(PageView, FindsTheChildBelowWhichAKeyBelongs) {
  Page page = Branch();
  EXPECT_EQ(page.editor().ChildIndex({0, 0, ""}), 0u);
  EXPECT_EQ(page.editor().ChildIndex({1, 20, "l"}), 0u);
  EXPECT_EQ(page.editor().ChildIndex({1, 20, "m"}), 1u);
  EXPECT_EQ(page.editor().ChildIndex({9, 0, ""}), 1u);
  page.editor().SetChild(1, {77, 7});
  EXPECT_EQ(page.editor().Child(1), (PagePointer{77, 7}));
  EXPECT_EQ(page.editor().Child(0), (PagePointer{10, 5}));
}

TEST(PageView, OrdersKeysBySpaceThenPositionThenName) {
  const RecordKey ascending[] = {{0, 0, ""},  {0, 0, "a"},  {0, 1, ""},     {1, 0, ""},
                                 {1, 0, "a"}, {1, 0, "aa"}, {1, 0, "\xff"}, {~0ull, 0, ""}};
  for (size_t i = 1; i < std::size(ascending); ++i) EXPECT_LT(ascending[i - 1], ascending[i]);
}

}  // namespace
}  // namespace kvfs::format
