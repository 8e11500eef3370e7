// A sequence of trees, each built from the previous one and sorted changes, compared with a
// std::map, on pages of several sizes; trees fill their pages, free all of them in the end, and
// handle damaged pages.
#include "store/btree/tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "store/btree/tree_writer.h"
#include "store/env/memory_env.h"
#include "store/format/name_hash.h"

namespace kvfs {
namespace {

using format::BranchView;
using format::LeafView;
using format::PagePointer;
using format::PageView;
using format::RecordKey;

constexpr uint64_t kSeed = 5;

using Key = std::tuple<uint64_t, uint64_t, std::string>;
// The new value of each key; none means that it is erased.
using Changes = std::map<Key, std::optional<std::string>>;

// Names with few different hashes, so that some positions have many records.
constexpr format::NameHash kHash{kSeed, 60};

RecordKey KeyOf(const Key& key) { return {std::get<0>(key), std::get<1>(key), std::get<2>(key)}; }
Key Named(uint64_t directory, const std::string& name) {
  return {directory, kHash.PositionOf(name), name};
}
Key Numbered(uint64_t directory, uint64_t number) { return {directory, number, ""}; }

class TreeFixture {
 public:
  explicit TreeFixture(uint32_t page_bytes)
      : page_bytes_(page_bytes),
        file_(env_.CreateFile("keys").value()),
        map_file_(env_.CreateFile("values").value()),
        blocks_(map_file_.get(), kSeed, false),
        space_(file_.get(), page_bytes, &blocks_, {}, 0) {
    Reload();
  }

  // The pages as a reopened store sees them.
  void Reload() {
    pages_ =
        std::make_unique<Pages>(file_.get(), PagesConfig{page_bytes_, kSeed, kHash, "keys", {}});
  }

  // A checkpoint: builds the next tree.
  void Apply(const Changes& changes, bool rewrites_all = false) {
    std::vector<TreeChange> row;
    for (const auto& [key, value] : changes) {
      const Bytes bytes = value ? AsBytes(*value) : Bytes{};
      row.push_back({KeyOf(key), ++version_, !value, bytes});
    }
    ++epoch_;
    TreeWriter writer(pages_.get(), &space_,
                      {.epoch = epoch_, .fill_percent = 94, .rewrites_all = rewrites_all});
    auto written = writer.Write(root_, row);
    ASSERT_TRUE(written) << written.error().message;
    root_ = written->root;
    space_.AddToClosed(written->allocated, written->freed);
    space_.Settle();
    space_.CheckpointDurable(epoch_);
    space_.FreeUpTo(epoch_);
  }

  Tree tree() const { return Tree(pages_.get(), root_); }
  std::string Find(const Key& key) const {
    auto record = tree().Find(KeyOf(key));
    if (record) return std::string(AsText(record->value));
    if (record.error().code != ErrorCode::kNotFound) return "damaged";
    return "absent";
  }

  // INVARIANT (level_writer.h): keys of pages bound their subtrees. Counts are correct, and a page
  // is in use if and only if it is in the tree.
  void CheckInvariants() {
    leaves_ = branches_ = 0;
    leaf_counts_.clear();
    if (!root_.page.IsNull()) CheckPage(root_.page, root_.height, {}, std::nullopt, true);
    EXPECT_EQ(leaves_, root_.leaves);
    EXPECT_EQ(branches_, root_.branches);
    EXPECT_EQ(space_.used(), leaves_ + branches_);
  }

  // Number of records in each leaf, as found by CheckInvariants.
  const std::vector<uint32_t>& leaf_counts() const { return leaf_counts_; }
  uint64_t pages_used() const { return space_.used(); }
  const TreeRoot& root() const { return root_; }
  File& file() { return *file_; }
  uint32_t page_bytes() const { return page_bytes_; }

 private:
  void CheckPage(PagePointer at, uint32_t level, RecordKey lower, std::optional<RecordKey> upper,
                 bool is_leftmost) {
    auto page = pages_->Read(at);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_TRUE(format::CheckOrder(*page, kHash));
    ASSERT_EQ(page->IsLeaf(), level == 1);
    if (page->IsLeaf()) {
      const LeafView leaf = pages_->AsLeaf(*page);
      ++leaves_;
      leaf_counts_.push_back(leaf.count());
      ASSERT_GT(leaf.count(), 0u);
      EXPECT_TRUE(is_leftmost || leaf.Record(0).key >= lower) << "a record below its page's key";
      EXPECT_TRUE(!upper || leaf.Record(leaf.count() - 1).key < *upper);
      return;
    }
    const BranchView branch(*page);
    ++branches_;
    EXPECT_TRUE(is_leftmost || branch.Key(0) == lower) << "a branch's key is its first child's";
    for (uint32_t i = 0; i < branch.count(); ++i) {
      const bool is_last = i + 1 == branch.count();
      CheckPage(branch.Child(i), level - 1, branch.Key(i),
                is_last ? upper : std::optional(branch.Key(i + 1)), is_leftmost && i == 0);
    }
  }

  const uint32_t page_bytes_;
  MemoryEnv env_;
  std::unique_ptr<File> file_;
  std::unique_ptr<File> map_file_;
  BlockFile blocks_;
  BlockAllocator space_;
  std::unique_ptr<Pages> pages_;
  TreeRoot root_;
  uint64_t epoch_ = 0;
  uint64_t version_ = 0;
  uint64_t leaves_ = 0;
  uint64_t branches_ = 0;
  std::vector<uint32_t> leaf_counts_;
};

class TreeModel : public testing::TestWithParam<std::tuple<uint32_t, unsigned>> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  // Long names with a common prefix, many names at one position, and numbered records.
  Key DrawKey() {
    if (Below(4) == 0) return Numbered(format::kFirstOwnDirectory + Below(3), Below(300));
    const std::string tail = std::to_string(Below(500));
    return Named(1 + Below(3), Below(3) ? tail : std::string(255 - tail.size(), 'n') + tail);
  }
  std::string DrawValue() {
    const uint64_t largest = format::MaxRecordBytes(tree_.page_bytes()) - 300;
    return std::string(Below(8) ? Below(100) : Below(largest + 1),
                       static_cast<char>('a' + Below(26)));
  }
  Changes DrawChanges(uint64_t count, uint64_t erased_percent) {
    Changes changes;
    for (uint64_t i = 0; i < count; ++i) {
      Key key = DrawKey();
      if (Below(100) >= erased_percent) {
        changes[key] = DrawValue();
        continue;
      }
      // An existing one in half of the cases.
      const auto found = model_.lower_bound(key);
      if (Below(2) && found != model_.end()) key = found->first;
      changes[key] = std::nullopt;
    }
    return changes;
  }
  void Apply(const Changes& changes) {
    for (const auto& [key, value] : changes) {
      if (value) {
        model_[key] = *value;
      } else {
        model_.erase(key);
      }
    }
    tree_.Apply(changes);
  }

  void ExpectSame() {
    const Tree tree = tree_.tree();
    TreeCursor cursor(tree);
    cursor.Seek({});
    for (const auto& [key, value] : model_) {
      ASSERT_TRUE(cursor.Valid()) << "the tree ends before " << std::get<2>(key);
      ASSERT_EQ(cursor.Record().key, KeyOf(key));
      ASSERT_EQ(AsText(cursor.Record().value), value);
      cursor.Next();
    }
    EXPECT_FALSE(cursor.Valid());
    EXPECT_FALSE(cursor.damage());
  }
  void ExpectSameAround(const Key& key) {
    auto found = model_.find(key);
    EXPECT_EQ(tree_.Find(key), found == model_.end() ? "absent" : found->second);
    const Tree tree = tree_.tree();
    TreeCursor cursor(tree);
    cursor.Seek(KeyOf(key));
    auto next = model_.lower_bound(key);
    ASSERT_EQ(cursor.Valid(), next != model_.end());
    if (cursor.Valid()) {
      EXPECT_EQ(cursor.Record().key, KeyOf(next->first));
    }
  }

  TreeFixture tree_{std::get<0>(GetParam())};
  std::map<Key, std::string> model_;
  std::mt19937_64 random_{std::get<1>(GetParam())};
};

TEST_P(TreeModel, HoldsWhatAMapHolds) {
  for (int step = 0; step < 300; ++step) {
    SCOPED_TRACE("seed " + std::to_string(std::get<1>(GetParam())) + " step " +
                 std::to_string(step));
    // Grows, shrinks and grows again; in large and in small steps.
    const uint64_t erased = step / 60 % 2 ? 75 : 25;
    const uint64_t count = 1 + Below(step % 7 == 0 ? 300 : 8);
    Apply(DrawChanges(count, erased));
    tree_.CheckInvariants();
    for (int i = 0; i < 10; ++i) ExpectSameAround(DrawKey());
    if (step % 20 == 0) tree_.Reload();
    if (step % 5 == 0) ExpectSame();
    if (step % 50 == 49) {
      tree_.Apply({}, /*rewrites_all=*/true);
      tree_.CheckInvariants();
      ExpectSame();
    }
    if (HasFailure()) return;
  }
}

TEST_P(TreeModel, GivesAllPagesBackWhenAllIsErased) {
  Apply(DrawChanges(1500, 0));
  EXPECT_GT(tree_.pages_used(), 10u);
  while (!model_.empty()) {
    Changes changes;
    for (uint64_t i = 0; i < 20 && !model_.empty(); ++i) {
      auto victim = model_.lower_bound(DrawKey());
      if (victim == model_.end()) victim = model_.begin();
      changes[victim->first] = std::nullopt;
      model_.erase(victim);
    }
    Apply(changes);
    tree_.CheckInvariants();
    if (HasFailure()) return;
  }
  EXPECT_EQ(tree_.pages_used(), 0u);
  EXPECT_TRUE(tree_.root().page.IsNull());
}

INSTANTIATE_TEST_SUITE_P(PagesAndSeeds, TreeModel,
                         testing::Combine(testing::Values(4096u, 8192u, 32768u),
                                          testing::Range(1u, 5u)));

TEST(Tree, EmptyHoldsNothing) {
  TreeFixture tree(4096);
  EXPECT_EQ(tree.Find(Named(1, "a")), "absent");
  tree.Apply({{Named(1, "a"), std::nullopt}});
  EXPECT_EQ(tree.pages_used(), 0u);
  EXPECT_TRUE(tree.root().page.IsNull());
}

TEST(Tree, ErasingWhatIsAbsentWritesNothing) {
  TreeFixture tree(4096);
  Changes changes;
  for (uint64_t i = 0; i < 500; ++i) changes[Numbered(1, i)] = std::string(50, 'x');
  tree.Apply(changes);
  const PagePointer root = tree.root().page;
  tree.Apply({{Numbered(1, 1000), std::nullopt}, {Named(1, "absent"), std::nullopt}});
  EXPECT_EQ(tree.root().page, root);
}

double FillOf(const TreeFixture& tree, uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(tree.root().leaves * tree.page_bytes());
}

TEST(Tree, SequentiallyNumberedRecordsFillTheirPages) {
  TreeFixture tree(16384);
  constexpr uint64_t kRecords = 3000, kBytes = 300;
  for (uint64_t begin = 0; begin < kRecords; begin += 500) {
    Changes changes;
    for (uint64_t i = begin; i < begin + 500; ++i) {
      changes[Numbered(format::kFirstOwnDirectory, i)] = std::string(kBytes, 'c');
    }
    tree.Apply(changes);
  }
  EXPECT_GT(FillOf(tree, kRecords * kBytes), 0.85);
}

// The rule of tree_writer.h: three quarters, for additions and removals.
TEST(Tree, PagesStayFullUnderRandomChanges) {
  TreeFixture tree(16384);
  std::mt19937_64 random(1);
  std::map<Key, std::string> model;
  for (int step = 0; step < 400; ++step) {
    Changes changes;
    for (int i = 0; i < 40; ++i) {
      const Key key = Named(1, std::to_string(random() % 20'000));
      const bool erases = step > 200 && random() % 10 < 7;
      changes[key] = erases ? std::nullopt : std::optional(std::string(100, 'v'));
      if (erases) model.erase(key);
      if (!erases) model[key] = "";
    }
    tree.Apply(changes);
  }
  EXPECT_GT(model.size(), 1000u);
  EXPECT_GT(FillOf(tree, model.size() * 110), 0.72);
  tree.Apply({}, /*rewrites_all=*/true);
  EXPECT_GT(FillOf(tree, model.size() * 110), 0.88);
}

TEST(Tree, AFewChangesLeaveMostPagesWhereTheyAre) {
  TreeFixture tree(4096);
  Changes changes;
  for (uint64_t i = 0; i < 20'000; ++i) changes[Numbered(1, i)] = std::string(100, 'x');
  tree.Apply(changes);
  const uint64_t before = tree.root().leaves;
  MemoryEnv unused;
  tree.Apply({{Numbered(1, 10'000), "new"}});
  EXPECT_EQ(tree.root().leaves, before);
  EXPECT_EQ(tree.Find(Numbered(1, 10'000)), "new");
}

// If names arrive in random order, both halves will get more.
TEST(Tree, APageThatOverflowsIsCutInHalves) {
  TreeFixture tree(4096);
  for (uint64_t i = 0; tree.root().leaves < 2; ++i) {
    ASSERT_LT(i, 100u);
    tree.Apply({{Named(1, "name " + std::to_string(i)), std::string(100, 'x')}});
  }
  tree.CheckInvariants();
  ASSERT_EQ(tree.leaf_counts().size(), 2u);
  const auto [fewer, more] = std::minmax(tree.leaf_counts()[0], tree.leaf_counts()[1]);
  EXPECT_LE(more - fewer, 2u);
}

class DamagedTree : public testing::Test {
 protected:
  DamagedTree() {
    Changes changes;
    for (uint64_t i = 0; i < kRecords; ++i) changes[Numbered(1, i)] = Value(i);
    tree_.Apply(changes);
    const uint64_t root = tree_.root().page.number;
    for (uint64_t number = 1; number <= tree_.pages_used(); ++number) {
      if (number != root) pages_.push_back(number);
    }
  }
  static std::string Value(uint64_t i) { return std::to_string(i) + std::string(100, 'x'); }
  void Damage(uint64_t page) {
    ASSERT_TRUE(tree_.file().Write(page * 4096 + 2000, AsBytes("damage")));
    tree_.Reload();
  }
  // The records that cannot be read.
  std::set<uint64_t> Lost() {
    std::set<uint64_t> lost;
    for (uint64_t i = 0; i < kRecords; ++i) {
      const std::string found = tree_.Find(Numbered(1, i));
      if (found == "damaged") lost.insert(i);
      EXPECT_TRUE(found == "damaged" || found == Value(i)) << i << ": " << found;
    }
    return lost;
  }

  static constexpr uint64_t kRecords = 20'000;
  TreeFixture tree_{4096};
  std::vector<uint64_t> pages_;  // all except the root
};

TEST_F(DamagedTree, OnePageHidesItsRecordsAndNoOthers) {
  Damage(pages_.front());
  const auto lost = Lost();
  EXPECT_GT(lost.size(), 10u);
  EXPECT_LT(lost.size(), 60u);
  // A walk skips it, and reports it.
  const Tree tree = tree_.tree();
  TreeCursor cursor(tree);
  uint64_t seen = 0;
  for (cursor.Seek({}); cursor.Valid(); cursor.Next()) ++seen;
  EXPECT_EQ(seen + lost.size(), kRecords);
  EXPECT_TRUE(cursor.damage());
}

TEST_F(DamagedTree, ChangesForADamagedLeafAreKept) {
  Damage(pages_.front());
  const auto lost = Lost();
  const uint64_t changed = *lost.begin(), erased = *std::next(lost.begin());
  tree_.Apply({{Numbered(1, changed), Value(changed)}, {Numbered(1, erased), std::nullopt}});
  EXPECT_EQ(tree_.Find(Numbered(1, changed)), Value(changed));
  // Other records of the leaf are not treated as absent, now or later.
  auto still_lost = lost;
  still_lost.erase(changed);
  EXPECT_EQ(Lost(), still_lost);
  tree_.Apply({{Numbered(1, *lost.rbegin()), Value(*lost.rbegin())}});
  still_lost.erase(*lost.rbegin());
  EXPECT_EQ(Lost(), still_lost);
  tree_.Apply({{Numbered(1, changed), std::nullopt}, {Numbered(1, *lost.rbegin()), std::nullopt}});
  EXPECT_EQ(Lost(), lost);
  tree_.Apply({}, /*rewrites_all=*/true);
  EXPECT_EQ(Lost(), lost);
}

TEST_F(DamagedTree, ChangesBelowADamagedBranchAreKept) {
  const uint64_t branch = pages_.back();  // written after the leaves
  Damage(branch);
  const auto lost = Lost();
  EXPECT_GT(lost.size(), 500u);
  Changes changes;
  auto still_lost = lost;
  for (const uint64_t number : lost) {
    if (number % 5 != 0) continue;
    changes[Numbered(1, number)] = Value(number);
    still_lost.erase(number);
  }
  changes[Numbered(1, 0)] = Value(0);
  changes[Numbered(1, kRecords - 1)] = Value(kRecords - 1);
  still_lost.erase(0);
  still_lost.erase(kRecords - 1);
  tree_.Apply(changes);
  EXPECT_EQ(Lost(), still_lost);
}

// The key that leads to the leftmost leaf is not the lowest key in it.
TEST_F(DamagedTree, ChangesBelowTheLeftmostBranchAreKept) {
  Damage(pages_[pages_.size() - (tree_.root().branches - 1)]);  // the root is not in pages_
  auto lost = Lost();
  ASSERT_GT(lost.size(), 500u);
  ASSERT_TRUE(lost.contains(0));
  Changes changes;
  for (const uint64_t number : std::set<uint64_t>{0, 1, *std::next(lost.begin(), 300)}) {
    changes[Numbered(1, number)] = Value(number);
    lost.erase(number);
  }
  tree_.Apply(changes);
  EXPECT_EQ(Lost(), lost);
}

TEST_F(DamagedTree, ChangesUnderADamagedRootAreKept) {
  Damage(tree_.root().page.number);
  EXPECT_EQ(Lost().size(), kRecords);
  tree_.Apply({{Numbered(1, 7), Value(7)}, {Numbered(1, 9000), Value(9000)}});
  EXPECT_EQ(Lost().size(), kRecords - 2);
}

}  // namespace
}  // namespace kvfs
