// The tree against a std::map, on pages of several sizes, with epochs closed and the tree read back
// from its file in between; and that it fills its pages, and gives all of them back.
#include "store/tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <tuple>

#include "store/env/memory_env.h"

namespace kvfs {
namespace {

using format::PagePointer;
using format::RecordKey;

constexpr uint64_t kSeed = 5;

class TreeFixture {
 public:
  explicit TreeFixture(uint32_t page_bytes)
      : page_bytes_(page_bytes),
        file_(env_.CreateFile("keys").value()),
        space_(file_.get(), page_bytes, 0,
               [](uint64_t) -> Result<GroupWords> { return GroupWords{}; }) {
    Load({}, 1);
  }

  // The pages and the tree as a reopening finds them.
  void Load(PagePointer root, uint64_t epoch) {
    epoch_ = epoch;
    pages_ = std::make_unique<Pages>(file_.get(), &space_,
                                     PagesConfig{page_bytes_, kSeed, "keys", {}}, epoch);
    tree_ = std::make_unique<Tree>(pages_.get(), root);
  }
  void Reload() { Load(tree_->root(), epoch_); }

  void Put(const RecordKey& key, std::string_view value) {
    ASSERT_TRUE(space_.Reserve(tree_->PagesPerChange()));
    ASSERT_TRUE(tree_->Put(key, AsBytes(value)));
  }
  void Erase(const RecordKey& key) {
    ASSERT_TRUE(space_.Reserve(tree_->PagesPerChange()));
    ASSERT_TRUE(tree_->Erase(key));
  }
  std::string Find(const RecordKey& key) const {
    auto value = tree_->Find(key);
    if (value) return std::string(AsText(*value));
    EXPECT_EQ(value.error().code, ErrorCode::kNotFound);
    return "absent";
  }
  Cursor Seek(const RecordKey& key) const {
    Cursor cursor(pages_.get(), tree_->root());
    EXPECT_TRUE(cursor.Seek(key));
    return cursor;
  }

  void Checkpoint() {
    ASSERT_TRUE(space_.SettleFreed());
    while (space_.HasDirtyGroups()) space_.TakeDirtyGroup();
    space_.CloseEpoch();
    pages_->CloseEpoch();
    ++epoch_;
    ASSERT_TRUE(pages_->WriteFrozen());
    pages_->DropFrozen();
    space_.CheckpointDurable(0, 1);
  }

  uint64_t pages_used() const { return space_.used(); }
  const Tree& tree() const { return *tree_; }
  File& file() { return *file_; }
  uint32_t page_bytes() const { return page_bytes_; }

 private:
  const uint32_t page_bytes_;
  MemoryEnv env_;
  std::unique_ptr<File> file_;
  SpaceMap space_;
  std::unique_ptr<Pages> pages_;
  std::unique_ptr<Tree> tree_;
  uint64_t epoch_ = 1;
};

class TreeModel : public testing::TestWithParam<std::tuple<uint32_t, unsigned>> {
 protected:
  using Key = std::tuple<uint64_t, uint64_t, std::string>;

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  // Long names with a common beginning, and many names at one position.
  Key DrawKey() {
    const std::string tail = std::to_string(Below(400));
    const std::string name = Below(3) ? tail : std::string(255 - tail.size(), 'n') + tail;
    return {1 + Below(3), Below(4) * 1000, name};
  }
  std::string DrawValue() {
    const uint64_t largest = format::MaxRecordBytes(tree_.page_bytes()) - 21 - 255;
    return std::string(Below(8) ? Below(100) : Below(largest + 1),
                       static_cast<char>('a' + Below(26)));
  }
  static RecordKey KeyOf(const Key& key) {
    return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
  }

  void Put() {
    const Key key = DrawKey();
    model_[key] = DrawValue();
    tree_.Put(KeyOf(key), model_[key]);
  }
  // One that is there, as often as not.
  void Erase() {
    Key key = DrawKey();
    if (auto found = model_.lower_bound(key); Below(2) && found != model_.end()) key = found->first;
    model_.erase(key);
    tree_.Erase(KeyOf(key));
  }

  void ExpectSame() {
    Cursor cursor = tree_.Seek({});
    for (const auto& [key, value] : model_) {
      ASSERT_TRUE(cursor.Valid()) << "the tree ends before " << std::get<2>(key);
      ASSERT_EQ(cursor.Key(), KeyOf(key));
      ASSERT_EQ(AsText(cursor.Value()), value);
      ASSERT_TRUE(cursor.Next());
    }
    EXPECT_FALSE(cursor.Valid());
  }
  void ExpectSameAround(const Key& key) {
    auto found = model_.find(key);
    EXPECT_EQ(tree_.Find(KeyOf(key)), found == model_.end() ? "absent" : found->second);
    Cursor cursor = tree_.Seek(KeyOf(key));
    auto next = model_.lower_bound(key);
    ASSERT_EQ(cursor.Valid(), next != model_.end());
    if (!cursor.Valid()) return;
    EXPECT_EQ(cursor.Key(), KeyOf(next->first));
  }

  TreeFixture tree_{std::get<0>(GetParam())};
  std::map<Key, std::string> model_;
  std::mt19937_64 random_{std::get<1>(GetParam())};
};

TEST_P(TreeModel, HoldsWhatAMapHolds) {
  for (int step = 0; step < 4000; ++step) {
    SCOPED_TRACE("seed " + std::to_string(std::get<1>(GetParam())) + " step " +
                 std::to_string(step));
    // Grows, shrinks and grows again.
    if (Below(100) < (step / 1000 % 2 ? 70u : 25u)) {
      Erase();
    } else {
      Put();
    }
    ExpectSameAround(DrawKey());
    if (step % 97 == 0) tree_.Checkpoint();
    if (step % 194 == 0) tree_.Reload();
    if (step % 50 == 0) ExpectSame();
    if (HasFailure()) return;
  }
}

TEST_P(TreeModel, GivesAllPagesBackWhenAllIsErased) {
  for (int i = 0; i < 1500; ++i) Put();
  tree_.Checkpoint();
  EXPECT_GT(tree_.pages_used(), 10u);
  while (!model_.empty()) {
    auto victim = model_.lower_bound(DrawKey());
    if (victim == model_.end()) victim = model_.begin();
    tree_.Erase(KeyOf(victim->first));
    model_.erase(victim);
    if (Below(200) == 0) tree_.Checkpoint();
    if (HasFailure()) return;
  }
  tree_.Checkpoint();
  EXPECT_EQ(tree_.pages_used(), 0u);
  EXPECT_TRUE(tree_.tree().root().IsNull());
}

INSTANTIATE_TEST_SUITE_P(PagesAndSeeds, TreeModel,
                         testing::Combine(testing::Values(4096u, 8192u, 32768u),
                                          testing::Range(1u, 4u)));

TEST(Tree, EmptyHoldsNothing) {
  TreeFixture tree(4096);
  EXPECT_EQ(tree.Find({1, 2, "a"}), "absent");
  EXPECT_FALSE(tree.Seek({}).Valid());
  tree.Erase({1, 2, "a"});
  EXPECT_EQ(tree.pages_used(), 0u);
}

TEST(Tree, SequentiallyNumberedRecordsFillTheirPages) {
  TreeFixture tree(4096);
  const std::string chunk(512, 'c');
  constexpr uint64_t kRecords = 3000;
  for (uint64_t i = 0; i < kRecords; ++i) tree.Put({uint64_t{1} << 63, i, ""}, chunk);
  tree.Checkpoint();
  const uint64_t in_a_page = format::PageCapacityBytes(4096) / format::RecordBytes(0, chunk.size());
  EXPECT_LE(tree.pages_used(), kRecords / in_a_page * 102 / 100 + 3);
}

TEST(Tree, AChangeTakesNoMorePagesThanItSays) {
  TreeFixture tree(4096);
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; ++i) {
    const uint64_t before = tree.pages_used(), most = tree.tree().PagesPerChange();
    tree.Put({1, random() % 1000, std::string(random() % 256, 'x')},
             std::string(random() % 1000, 'v'));
    ASSERT_LE(tree.pages_used(), before + most);
    if (i % 100 == 0) tree.Checkpoint();
  }
}

TEST(Tree, ReadsOnInItsFileAfterACheckpoint) {
  TreeFixture tree(4096);
  for (uint64_t i = 0; i < 500; ++i) tree.Put({1, i, "name"}, std::to_string(i));
  tree.Checkpoint();
  tree.Reload();
  for (uint64_t i = 0; i < 500; ++i) EXPECT_EQ(tree.Find({1, i, "name"}), std::to_string(i));
}

TEST(Tree, ADamagedPageIsAnErrorAndTheOthersGoOn) {
  TreeFixture tree(4096);
  for (uint64_t i = 0; i < 500; ++i) tree.Put({1, i, "name"}, std::string(100, 'x'));
  tree.Checkpoint();
  const uint64_t root = tree.tree().root().number;
  const uint64_t victim = root == 1 ? 2 : 1;  // a leaf
  ASSERT_TRUE(tree.file().Write(victim * 4096 + 2000, AsBytes("damage")));
  tree.Reload();
  int damaged = 0;
  for (uint64_t i = 0; i < 500; ++i) {
    auto value = tree.tree().Find({1, i, "name"});
    if (value) {
      EXPECT_EQ(AsText(*value), std::string(100, 'x'));
    } else {
      EXPECT_EQ(value.error().code, ErrorCode::kCorrupt);
      ++damaged;
    }
  }
  EXPECT_GT(damaged, 0);
  EXPECT_LT(damaged, 100);
}

}  // namespace
}  // namespace kvfs
