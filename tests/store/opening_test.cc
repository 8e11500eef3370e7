// Opening: what is refused, with the reason, and the state of a store afterwards.
#include <gtest/gtest.h>

#include <set>

#include "store/format/superblock.h"
#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

class Opening : public StoreFixture {};

TEST_F(Opening, ReplayedIdsAreNotGivenAgain) {
  const uint64_t last = PutNew(kRootDirectory, "a");
  auto crashed = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  auto store = Store::Open(*crashed, "store").value();
  std::set<uint64_t> ids = {last};
  for (int i = 0; i < 30; ++i) {
    const std::string name = "b" + std::to_string(i);
    ASSERT_TRUE(store->Put(name, ""));
    EXPECT_TRUE(ids.insert(store->Stat({kRootDirectory, name}).value().id).second);
  }
}

TEST_F(Opening, TransientEntriesAreErasedAtOpening) {
  ASSERT_TRUE(Apply([](Batch& batch) {
    batch.Put({kTransientDirectory, "small"}, AsBytes("x"));
    batch.Put({kRootDirectory, "kept"}, AsBytes("x"));
  }));
  const std::string large(4096 * 20, 'y');
  ASSERT_TRUE(Apply([&](Batch& batch) {
    batch.Put({kTransientDirectory, "large"}, AsBytes(large));
  }));
  EXPECT_EQ(List(kTransientDirectory).size(), 2u);
  Reopen();
  EXPECT_TRUE(List(kTransientDirectory).empty());
  EXPECT_EQ(List(), std::vector<std::string>{"kept"});
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
}

TEST_F(Opening, ASecondOpenerIsToldWhoHasIt) {
  store_.reset();
  OpenOptions options;
  options.purpose = "mounted on /mnt/kv";
  store_ = Store::Open(env_, "store", options).value();
  auto second = Store::Open(env_, "store");
  ASSERT_EQ(CodeOf(second), ErrorCode::kInUse);
  EXPECT_NE(second.error().message.find("mounted on /mnt/kv"), std::string::npos);
  store_.reset();
  EXPECT_TRUE(Store::Open(env_, "store"));
}

TEST(OpeningOf, WhereThereIsNoneSaysSo) {
  MemoryEnv env;
  auto opened = Store::Open(env, "store");
  ASSERT_EQ(CodeOf(opened), ErrorCode::kNotFound);
  EXPECT_NE(opened.error().message.find("no kvfs store"), std::string::npos);
}

TEST(OpeningOf, RefusesASuperblockThatIsNone) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("store"));
  auto file = env.CreateFile("store/superblock").value();
  EXPECT_EQ(CodeOf(Store::Open(env, "store")), ErrorCode::kCorrupt);
  ASSERT_TRUE(file->Write(0, AsBytes(std::string(100'000, 'x'))));
  EXPECT_EQ(CodeOf(Store::Open(env, "store")), ErrorCode::kCorrupt);
}

TEST(OpeningOf, RefusesAnotherVersionByName) {
  MemoryEnv env;
  ASSERT_TRUE(Store::Create(env, "store", SmallStore()));
  auto file = env.OpenFile("store/superblock").value();
  std::byte version[4];
  StoreLittle(version, format::kVersion + 1);
  for (const uint64_t identity : format::kIdentityOffset) {
    ASSERT_TRUE(file->Write(identity + 16, version));
  }
  auto opened = Store::Open(env, "store");
  ASSERT_EQ(CodeOf(opened), ErrorCode::kUnsupported);
  EXPECT_NE(opened.error().message.find("version 2"), std::string::npos);
}

TEST(OpeningOf, KnowsTheParametersOfTheCreation) {
  MemoryEnv env;
  CreateOptions options = SmallStore();
  options.shards = 11;
  options.page_bytes = 16384;
  ASSERT_TRUE(Store::Create(env, "store", options));
  auto store = Store::Open(env, "store").value();
  ASSERT_TRUE(store->Put("name", std::string(2048, 'x')));  // inline in a page of this size
  EXPECT_EQ(store->GetStats().block_bytes_used, 0u);
  EXPECT_EQ(store->GetStats().page_bytes_used % 16384, 0u);
  EXPECT_TRUE(env.Exists("store/shard-10.keys").value());
  EXPECT_FALSE(env.Exists("store/shard-11.keys").value());
}

TEST(OpeningOf, NamesOfEqualHashAreToldApart) {
  MemoryEnv env;
  CreateOptions options = SmallStore();
  options.hash_bits = 1;
  ASSERT_TRUE(Store::Create(env, "store", options));
  auto store = Store::Open(env, "store").value();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store->Put(std::to_string(i), "value " + std::to_string(i)));
  }
  for (int i = 0; i < 100; i += 2) ASSERT_TRUE(store->Erase(std::to_string(i)));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(store->Get(std::to_string(i)).value_or("absent"),
              i % 2 ? "value " + std::to_string(i) : "absent");
  }
}

}  // namespace
}  // namespace kvfs
