// Power fails at every change of the disk, and on every disk that this may leave, the store opens
// without help to an exact prefix of the acknowledged operations that includes everything synced
// (P2); if only the process dies, to all of them (P3).
#include "tests/support/crash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "store/env/memory_env.h"
#include "store/format/superblock.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

// The power fails at one in this many changes.
constexpr uint64_t kStride = kRepeatsLess ? 7 : 1;

// No timed checkpoints: a scenario must be repeatable.
Result<std::unique_ptr<Store>> Open(Env& env) {
  OpenOptions options;
  options.idle_ms = 0;
  return Store::Open(env, "store", options);
}

ModelChange Change(ModelChange::Kind kind, const std::string& name, const std::string& data,
                   uint64_t offset = 0) {
  ModelChange change;
  change.kind = kind;
  change.key = {kRootDirectory, name};
  change.data = data;
  change.offset = offset;
  return change;
}

Step Batched(std::vector<ModelChange> changes) { return {Step::Kind::kBatch, std::move(changes)}; }

Step Put(const std::string& name, const std::string& data) {
  return Batched({Change(ModelChange::Kind::kPut, name, data)});
}

Step Write(const std::string& name, uint64_t offset, const std::string& data) {
  return Batched({Change(ModelChange::Kind::kWrite, name, data, offset)});
}

Step Erase(const std::string& name) {
  return Batched({Change(ModelChange::Kind::kErase, name, "")});
}

Step Move(const std::string& from, const std::string& to) {
  ModelChange change = Change(ModelChange::Kind::kMove, from, "");
  change.to = {kRootDirectory, to};
  return Batched({change});
}

Step Replace(const std::string& name, const std::string& data) {
  return {Step::Kind::kReplace, {Change(ModelChange::Kind::kPut, name, data)}};
}

const Step kSync{Step::Kind::kSync, {}};
const Step kCheckpoint{Step::Kind::kCheckpoint, {}};

std::string Large(char fill, size_t size = 10'000) { return std::string(size, fill); }

// Runs a script on a store, and records every acknowledged state.
class CrashTest : public testing::Test {
 protected:
  void Prepare(Env& env) { ASSERT_TRUE(Store::Create(env, "store", SmallStore(2, 4096))); }

  void Run(Env& env, const std::vector<Step>& script) {
    states_ = {Model{}};
    synced_ = 0;
    under_way_.reset();
    auto store = Open(env);
    if (store) RunOn(**store, script);
  }

  // False if a step fails, which means that the power has failed.
  bool RunOn(Store& store, const std::vector<Step>& script) {
    for (const Step& step : script) {
      if (!step.changes.empty()) under_way_ = step;
      if (!ApplyToStore(step, store)) return false;
      under_way_.reset();
      if (!step.changes.empty()) {
        states_.push_back(states_.back());
        ApplyToModel(step, &states_.back());
      } else {
        synced_ = states_.size() - 1;
      }
    }
    return true;
  }

  // Determines which of the states the store holds; a pending operation may have happened.
  std::optional<size_t> StateOf(const Store& store) {
    auto held = ReadStore(store);
    if (!held) {
      ADD_FAILURE() << held.error().message;
      return std::nullopt;
    }
    std::vector<Model> possible = states_;
    if (under_way_) {
      possible.push_back(possible.back());
      ApplyToModel(*under_way_, &possible.back());
    }
    for (size_t i = possible.size(); i-- > 0;) {
      if (possible[i] == *held) return i;
    }
    ADD_FAILURE() << "no prefix; from the last state: " << Difference(states_.back(), *held);
    return std::nullopt;
  }

  void ExpectPrefix(Env& image) {
    auto store = Open(image);
    ASSERT_TRUE(store) << store.error().message;
    auto state = StateOf(**store);
    ExpectSound(**store);
    EXPECT_GE(state.value_or(synced_), synced_) << "something synced is lost";
    // A recovered store can be used like any other.
    ASSERT_TRUE((*store)->Put("after the crash", Large('c')));
    ASSERT_TRUE((*store)->Close());
    store->reset();
    store = Open(image);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE((*store)->Get("after the crash") == Large('c'));
    ASSERT_TRUE((*store)->Erase("after the crash"));
    EXPECT_EQ(StateOf(**store), state);
    ASSERT_TRUE((*store)->Checkpoint());
    ExpectSound(**store);
  }

  void Explore(const std::vector<Step>& script, CrashLimits limits = {}) {
    limits.stride = std::max(limits.stride, kStride);
    CrashReport report = ExploreCrashes({.prepare = [&](Env& env) { Prepare(env); },
                                         .run = [&](Env& env) { Run(env, script); },
                                         .check = [&](Env& image) { ExpectPrefix(image); }},
                                        limits);
    EXPECT_GT(report.images, 10u);
  }

  std::vector<Model> states_;
  size_t synced_ = 0;
  std::optional<Step> under_way_;
};

TEST_F(CrashTest, Puts) {
  Explore({Put("a", "1"), Put("b", "2"), kSync, Put("a", "3"), Put("c", Large('x')), kSync,
           Put("c", "small"), Erase("b"), Put("d", "4")});
}

TEST_F(CrashTest, PartsOfLargeContents) {
  Explore({Put("a", Large('x', 20'000)), kSync, Write("a", 4'000, Large('y', 9'000)),
           Write("a", 19'999, "tail"), kSync, Write("a", 100, "head"), Write("a", 30'000, "gap")});
}

// A content that was staged is the entry's, completely, or absent.
TEST_F(CrashTest, ContentsThatAreTaken) {
  Explore({Put("a", Large('a')), kSync, Replace("a", Large('b', 30'000)), Replace("a", "small"),
           kCheckpoint, Replace("a", Large('c')), kSync, Write("a", 100, "head"),
           Replace("a", Large('d', 140'000)), Erase("a")});
}

TEST_F(CrashTest, BatchesHappenWholeOrNotAtAll) {
  using Kind = ModelChange::Kind;
  Explore({Batched({Change(Kind::kPut, "a", "1"), Change(Kind::kPut, "b", Large('b'))}), kSync,
           Batched({Change(Kind::kErase, "a", ""), Change(Kind::kPut, "c", Large('c')),
                    Change(Kind::kWrite, "b", "new", 5'000)}),
           Put("d", "1")});
}

TEST_F(CrashTest, MovesReplaceWholeOrNotAtAll) {
  Explore({Put("a", Large('a')), Put("b", Large('b')), kSync, Move("a", "b"), Put("a", "again"),
           kSync, Move("b", "c"), Move("a", "b")});
}

TEST_F(CrashTest, Checkpoints) {
  Explore({Put("a", "1"), Put("b", Large('b')), kCheckpoint, Put("a", "2"), Erase("b"), kCheckpoint,
           Put("c", Large('c')), kCheckpoint, Put("d", Large('d')), kSync, Move("d", "c")});
}

// A batch of puts, or erasures, of consecutive names from `first`: enough for pages to split and
// merge.
// merge.
Step Many(ModelChange::Kind kind, int first, int count, char fill = 'm') {
  std::vector<ModelChange> changes;
  for (int i = first; i < first + count; ++i) {
    const bool is_large = i % 16 == 0;
    changes.push_back(
        Change(kind, "many " + std::to_string(i), std::string(is_large ? 9'000 : 300, fill)));
  }
  return Batched(std::move(changes));
}

// Trees gain and lose levels, files grow, and freed numbers are reused.
TEST_F(CrashTest, Growth) {
  using Kind = ModelChange::Kind;
  Explore({Many(Kind::kPut, 0, 60), kCheckpoint, Many(Kind::kPut, 60, 60), kSync,
           Many(Kind::kErase, 0, 50), kCheckpoint, Many(Kind::kPut, 0, 40, 'n'), kCheckpoint,
           Many(Kind::kErase, 50, 70), kCheckpoint, Put("a", Large('a'))},
          {.prefixes = 4, .random_images = 1, .torn_images = 1});
}

// Everything moves to new pages, and free space is returned to the disk.
TEST_F(CrashTest, Compaction) {
  using Kind = ModelChange::Kind;
  const std::vector<Step> before = {Many(Kind::kPut, 0, 80), kCheckpoint,
                                    Many(Kind::kErase, 20, 40), kSync};
  const std::vector<Step> after = {Put("a", Large('a')), kSync, Erase("many 1")};
  ExploreCrashes({.prepare = [&](Env& env) { Prepare(env); },
                  .run =
                      [&](Env& env) {
                        states_ = {Model{}};
                        synced_ = 0;
                        under_way_.reset();
                        auto store = Open(env);
                        if (!store || !RunOn(**store, before)) return;
                        if (!(*store)->Compact() || !RunOn(**store, after)) return;
                        static_cast<void>((*store)->Close());
                      },
                  .check = [&](Env& image) { ExpectPrefix(image); }},
                 {.prefixes = 4, .random_images = 1, .torn_images = 1, .stride = kStride});
}

TEST_F(CrashTest, RandomScripts) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("script seed " + std::to_string(seed));
    auto script =
        DrawScript(seed, {.steps = 40, .names = 6, .max_bytes = 40'000, .reopens = false});
    Explore(script, {.prefixes = 6, .random_images = 2, .torn_images = 2, .stride = 5});
    if (HasFailure()) return;
  }
}

// A second power failure, during recovery from the first one, changes nothing.
TEST_F(CrashTest, CrashDuringRecovery) {
  const std::vector<Step> script = {
      Put("a", Large('a')), kCheckpoint, Put("b", Large('b')), Write("a", 10, "1"), Move("b", "a"),
      Put("c", "2"),        kSync,       Put("d", "3"),        Erase("a")};
  auto prepare = [&](Env& env) {
    states_ = {Model{}};
    Prepare(env);
    auto store = Open(env);
    ASSERT_TRUE(store);
    RunOn(**store, script);
    static_cast<MemoryEnv&>(env).KillProcess();
  };
  CrashReport report = ExploreCrashes({.prepare = prepare,
                                       .run = [&](Env& env) { static_cast<void>(Open(env)); },
                                       .check = [&](Env& image) { ExpectPrefix(image); }});
  EXPECT_EQ(states_.size(), script.size() - 1);
  EXPECT_GT(report.images, 10u);
}

// The power has failed between the writes of the two superblock slots, and fails once more: the
// older slot must not become the newest again, since its pages and blocks have been reused by then.
TEST_F(CrashTest, OlderSlotNeverComesBack) {
  constexpr uint64_t kSecondSlot = format::kSlotOffset[1];
  CreateOptions options = SmallStore(2, 4096);
  options.shards = 16;  // so that a slot is longer than a sector, and can be torn
  auto prepare = [&](Env& env) {
    states_ = {Model{}};
    ASSERT_TRUE(Store::Create(env, "store", options));
    auto store = Open(env);
    ASSERT_TRUE(store);
    RunOn(**store, {Put("a", Large('a')), Put("b", "1"), kCheckpoint});
    auto superblock = env.OpenFile("store/superblock").value();
    std::vector<std::byte> older(4096);
    ASSERT_TRUE(superblock->Read(kSecondSlot, older));
    RunOn(**store, {Put("a", Large('b')), Put("b", "2"), kCheckpoint});
    ASSERT_TRUE(superblock->Write(kSecondSlot, older));
    // Pages for the recovery to write.
    for (int i = 0; i < 40; ++i) ASSERT_TRUE((*store)->Put("d" + std::to_string(i), Large('d')));
    static_cast<MemoryEnv&>(env).KillProcess();
  };
  ExploreCrashes({.prepare = prepare,
                  .run =
                      [&](Env& env) {
                        auto store = Open(env);
                        if (store) static_cast<void>((*store)->Put("c", Large('c')));
                        if (store) static_cast<void>((*store)->Erase("c"));
                      },
                  .check =
                      [&](Env& image) {
                        auto store = Open(image);
                        ASSERT_TRUE(store) << store.error().message;
                        EXPECT_TRUE((*store)->Get("a") == Large('b'));
                        EXPECT_TRUE((*store)->Get("b") == std::string("2"));
                      }},
                 {.prefixes = 2, .random_images = 1, .torn_images = 6, .stride = kStride});
}

// The disk after the death of the process alone: everything that was written, synced or not.
TEST_F(CrashTest, DeathOfTheProcessLosesNothing) {
  MemoryEnv env;
  Prepare(env);
  auto script = DrawScript(7, {.steps = 300, .names = 30, .max_bytes = 50'000, .reopens = false});
  std::unique_ptr<MemoryEnv> image;
  {
    auto store = Open(env);
    ASSERT_TRUE(store);
    states_ = {Model{}};
    for (const Step& step : script) {
      ASSERT_TRUE(ApplyToStore(step, **store));
      ApplyToModel(step, &states_.back());
    }
    image = env.CrashImage({CrashChoice::Kind::kAll, 0});
  }
  auto store = Open(*image);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(Difference(states_.back(), *ReadStore(**store)), "");
}

}  // namespace
}  // namespace kvfs
