// Random operations of every kind on a store and on a std::map, with checkpoints, reopenings, kills
// and snapshots in between: after every step both have equal contents, and so has each snapshot and
// its copy of the map.
//
// A failure is reported with a line like
//   KVFS_MODEL_REPLAY=Usual:3   seed 3, step 17: batch [put 1:name-4 ...]
// If this is set in the environment, only that shape runs, with that seed (any seed).
#include "tests/store/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"

namespace kvfs {
namespace {

struct Shape {
  std::string name;
  CreateOptions create;
  ScriptOptions script;
  uint64_t seed = 0;
  uint64_t script_seed = 0;
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name << ":" << shape.seed; }

std::vector<Shape> ShapesOf(uint64_t seed) {
  CreateOptions usual, one_shard, many_shards, large_pages, colliding;
  one_shard.shards = 1;
  many_shards.shards = 64;
  large_pages.page_bytes = 32768;
  colliding.hash_bits = 1;
  ScriptOptions few_large{.steps = 300}, many_small{.steps = 900, .names = 400, .max_bytes = 3000};
  few_large.everything = many_small.everything = true;
  std::vector<Shape> shapes = {
      {"Usual", usual, few_large},
      {"ManySmall", usual, many_small},
      {"OneShard", one_shard, many_small},
      {"ManyShards", many_shards, few_large},
      {"LargePages", large_pages, few_large},
      {"Colliding", colliding, many_small},
  };
  for (size_t i = 0; i < shapes.size(); ++i) {
    Shape& shape = shapes[i];
    shape.seed = seed;
    shape.script_seed = seed * 1000 + i;  // so that no two shapes do the same
    shape.create.hash_seed = seed;
    shape.create.log_segment_bytes = 1 << 20;
    shape.create.log_limit_bytes = 4 << 20;
  }
  return shapes;
}

std::vector<Shape> Shapes() {
  std::vector<Shape> all;
  if (const char* replay = std::getenv("KVFS_MODEL_REPLAY")) {
    const std::string_view text = replay;
    const size_t colon = text.find(':');
    if (colon == text.npos) return all;
    all = ShapesOf(std::strtoull(replay + colon + 1, nullptr, 10));
    std::erase_if(all, [&](const Shape& shape) { return shape.name != text.substr(0, colon); });
    return all;
  }
  for (uint64_t seed = 1; seed <= (kRepeatsLess ? 1 : 3); ++seed)
    std::ranges::move(ShapesOf(seed), std::back_inserter(all));
  return all;
}

class ModelTest : public testing::TestWithParam<Shape> {
 protected:
  ModelTest() : disk_(std::make_unique<MemoryEnv>()) {}
  ~ModelTest() override { snapshots_.clear(); }

  // --- opening and closing the store ---

  std::unique_ptr<Store> Open(Env& disk, bool read_only = false) {
    OpenOptions options;
    options.read_only = read_only;
    options.log = [](std::string_view line) {
      EXPECT_TRUE(line.starts_with("recovered: ")) << "logged: " << line;
    };
    auto opened = Store::Open(disk, "store", options);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }
  void Reopen() {
    LookAtSnapshots();
    store_.reset();
    store_ = Open(*disk_);
  }
  void Kill() {
    LookAtSnapshots();
    auto killed = disk_->CrashImage({CrashChoice::Kind::kAll, 0});
    store_.reset();
    disk_ = std::move(killed);
    store_ = Open(*disk_);
    ExpectSame();
  }
  void LookAtACopyReadOnly() {
    auto killed = disk_->CrashImage({CrashChoice::Kind::kAll, 0});
    const uint64_t operations = killed->OperationCount();
    const auto store = Open(*killed, /*read_only=*/true);
    ASSERT_NE(store, nullptr);
    ExpectHolds(*store, model_);
    ExpectSound(*store);
    const auto put = store->Put("name", "x");
    EXPECT_TRUE(!put && put.error().code == ErrorCode::kReadOnly);
    EXPECT_EQ(killed->OperationCount(), operations) << "something was changed";
  }

  // --- comparisons ---

  static void ExpectHolds(const Reader& reader, const Model& model) {
    auto actual = ReadStore(reader);
    ASSERT_TRUE(actual) << actual.error().message;
    EXPECT_EQ(Difference(model, *actual), "");
  }
  void ExpectSame() {
    ExpectHolds(*store_, model_);
    for (const auto& [key, entry] : model_) {
      const EntryInfo info = Stat(key);
      EXPECT_EQ(info.id, facts_[key].id) << key.second;
      EXPECT_EQ(info.version, facts_[key].version) << key.second;
    }
  }
  EntryInfo Stat(const Model::key_type& key) {
    return store_->Stat({key.first, key.second}).value_or(EntryInfo{});
  }

  // --- ids and versions ---

  struct Facts {
    uint64_t id = 0;
    uint64_t version = 0;  // kept when the entry is erased; a new entry has a higher one
  };

  // The ids of the step's entries afterwards; 0 for a new one.
  void FollowIds(const Step& step) {
    using Kind = ModelChange::Kind;
    if (step.kind != Step::Kind::kBatch) return;
    for (const ModelChange& change : step.changes) {
      uint64_t& id = facts_[change.key].id;
      uint64_t& other = facts_[change.to].id;
      if (change.kind == Kind::kErase) id = 0;
      if (change.kind == Kind::kExchange) std::swap(id, other);
      const bool moves = change.kind == Kind::kMove || change.kind == Kind::kMoveNew;
      if (moves && change.key != change.to) other = std::exchange(id, 0);
    }
  }
  void ExpectIdAndVersion(const Model::key_type& key, const Model& before) {
    Facts& facts = facts_[key];
    if (!model_.contains(key)) return;
    const EntryInfo info = Stat(key);
    if (facts.id == 0) {
      EXPECT_TRUE(ids_.insert(info.id).second) << "an id was given twice: " << info.id;
      facts.id = info.id;
    }
    EXPECT_EQ(info.id, facts.id) << "an entry has lost its id";
    const auto was = before.find(key);
    const bool is_changed = was == before.end() || was->second != model_[key];
    EXPECT_GE(info.version, facts.version + (is_changed ? 1 : 0)) << key.second;
    facts.version = info.version;
  }

  // --- snapshots ---

  struct Moment {
    std::unique_ptr<Snapshot> snapshot;
    Model model;
  };

  void TakeSnapshot(uint64_t number) {
    constexpr size_t kMost = 4;
    if (snapshots_.size() == kMost) LookAtSnapshot(number);
    auto taken = store_->TakeSnapshot();
    ASSERT_TRUE(taken) << taken.error().message;
    snapshots_.push_back({*std::move(taken), model_});
    EXPECT_EQ(store_->GetStats().snapshots, snapshots_.size());
  }
  // Compares it for the last time.
  void LookAtSnapshot(uint64_t number) {
    if (snapshots_.empty()) return;
    const auto at = snapshots_.begin() + static_cast<ptrdiff_t>(number % snapshots_.size());
    ExpectHolds(*at->snapshot, at->model);
    for (const auto& [key, entry] : at->model) {
      ExpectRange(*at->snapshot, key, entry.content, number);
      EXPECT_LE(at->snapshot->Stat({key.first, key.second})->version, at->snapshot->version());
      number = number * 6364136223846793005u + 1442695040888963407u;
    }
    snapshots_.erase(at);
  }
  void LookAtSnapshots() {
    while (!snapshots_.empty()) LookAtSnapshot(0);
  }
  static void ExpectRange(const Reader& reader, const Model::key_type& key,
                          const std::string& content, uint64_t number) {
    const size_t offset = (number >> 33) % (content.size() + 1);
    const size_t length = (number >> 13) % 10'000;
    std::string read(length, '?');
    const auto count =
        reader.Read({key.first, key.second}, offset, std::as_writable_bytes(std::span(read)));
    ASSERT_TRUE(count) << count.error().message;
    read.resize(*count);
    EXPECT_TRUE(read == content.substr(offset, length)) << key.second << " from " << offset;
  }

  // --- holes ---

  // Data and holes alternate to the end, and holes contain only zeros.
  void ExpectHoles(const Reader& reader, const Model& model) {
    for (const auto& [key, entry] : model) {
      const Key name{key.first, key.second};
      const size_t size = entry.content.size();
      uint64_t data_bytes = 0;
      for (uint64_t at = 0; at < size;) {
        const uint64_t data = reader.FindData(name, at).value();
        ASSERT_GE(data, at);
        ASSERT_LE(data, size);
        const auto hole = entry.content.begin() + static_cast<ptrdiff_t>(at);
        EXPECT_TRUE(std::all_of(hole, entry.content.begin() + static_cast<ptrdiff_t>(data),
                                [](char c) { return c == '\0'; }))
            << key.second << ": bytes in a hole from " << at << " to " << data;
        at = reader.FindHole(name, data).value();
        ASSERT_LE(at, size);
        ASSERT_GT(at, data == size ? data - 1 : data) << "neither data nor hole";
        data_bytes += at - data;
      }
      EXPECT_EQ(reader.FindData(name, size).value(), size);
      EXPECT_EQ(reader.FindHole(name, size).value(), size);
      constexpr uint64_t kBlock = 4096;
      EXPECT_LE(data_bytes, Stat(key).allocated_bytes + kBlock) << "a tail is data, too";
    }
  }
  void ExpectAllocated(const ModelChange& allocate) {
    const auto found = model_.find(allocate.key);
    if (found == model_.end()) return;
    const uint64_t size = found->second.content.size();
    if (allocate.offset >= size || allocate.length == 0) return;
    const uint64_t end = std::min<uint64_t>(size, allocate.offset + allocate.length);
    EXPECT_GE(store_->FindHole({allocate.key.first, allocate.key.second}, allocate.offset).value(),
              end);
  }

  // --- one step ---

  void Change(const Step& step) {
    const Model before = model_;
    const auto refusal = ApplyOrRefuse(step, &model_);
    const auto applied = ApplyToStore(step, *store_);
    if (refusal) {
      ASSERT_FALSE(applied) << "it should have been refused";
      EXPECT_EQ(applied.error().code, *refusal) << applied.error().message;
      return;
    }
    ASSERT_TRUE(applied) << applied.error().message;
    FollowIds(step);
    std::set<Model::key_type> keys;
    for (const ModelChange& change : step.changes) keys.insert({change.key, change.to});
    for (const auto& key : keys) ExpectIdAndVersion(key, before);
    const bool allocates =
        step.changes.size() == 1 && step.changes[0].kind == ModelChange::Kind::kAllocate;
    if (allocates && step.kind == Step::Kind::kBatch) ExpectAllocated(step.changes[0]);
  }

  void Do(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kReopen:
        return Reopen();
      case Step::Kind::kKill:
        return Kill();
      case Step::Kind::kReadOnly:
        return LookAtACopyReadOnly();
      case Step::Kind::kTakeSnapshot:
        return TakeSnapshot(step.number);
      case Step::Kind::kLookAtSnapshot:
        return LookAtSnapshot(step.number);
      case Step::Kind::kLookAtHoles:
        return ExpectHoles(*store_, model_);
      default:
        return Change(step);
    }
  }

  std::unique_ptr<MemoryEnv> disk_;
  std::unique_ptr<Store> store_;
  std::vector<Moment> snapshots_;
  Model model_;
  std::map<Model::key_type, Facts> facts_;
  std::set<uint64_t> ids_;  // all ids ever assigned
};

TEST_P(ModelTest, StoreAndMapHoldTheSame) {
  const Shape& shape = GetParam();
  ASSERT_TRUE(Store::Create(*disk_, "store", shape.create));
  Reopen();
  size_t index = 0;
  for (const Step& step : DrawScript(shape.script_seed, shape.script)) {
    const std::string seed = std::to_string(shape.seed);
    SCOPED_TRACE("KVFS_MODEL_REPLAY=" + shape.name + ":" + seed + "   seed " + seed + ", step " +
                 std::to_string(index) + ": " + ToText(step));
    Do(step);
    if (HasFailure()) return;
    if (index++ % 16 == 0) ExpectSame();
    if (index % 64 == 0) ExpectSound(*store_);
    if (HasFailure()) return;
  }
  ExpectSame();
  Reopen();
  ExpectSame();
  EXPECT_EQ(store_->GetStats().entries, model_.size());
  ExpectSound(*store_);
  ASSERT_TRUE(store_->Compact());
  ExpectSame();
  ExpectSound(*store_);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ModelTest, testing::ValuesIn(Shapes()),
                         [](const testing::TestParamInfo<Shape>& shape) {
                           return shape.param.name + std::to_string(shape.param.seed);
                         });

}  // namespace
}  // namespace kvfs
