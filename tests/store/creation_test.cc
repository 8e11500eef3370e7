// Creating a store: what is refused, and that a failed creation leaves nothing behind.
#include <gtest/gtest.h>

#include <functional>

#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

TEST(Creation, TwiceIsRefused) {
  MemoryEnv env;
  ASSERT_TRUE(Store::Create(env, "store", SmallStore()));
  EXPECT_EQ(CodeOf(Store::Create(env, "store", SmallStore())), ErrorCode::kExists);
  EXPECT_TRUE(Store::Open(env, "store"));
}

TEST(Creation, RefusesADirectoryOfOtherThings) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("owner"));
  ASSERT_TRUE(env.CreateFile("owner/letter"));
  auto created = Store::Create(env, "owner", SmallStore());
  ASSERT_EQ(CodeOf(created), ErrorCode::kInvalid);
  EXPECT_NE(created.error().message.find("letter"), std::string::npos);
  EXPECT_EQ(env.ListDirectory("owner").value().size(), 1u);
}

TEST(Creation, TakesAnEmptyDirectory) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("empty"));
  EXPECT_TRUE(Store::Create(env, "empty", SmallStore()));
  EXPECT_TRUE(Store::Open(env, "empty"));
}

TEST(Creation, RefusesOptionsOutOfTheirRange) {
  MemoryEnv env;
  auto create = [&](const std::function<void(CreateOptions&)>& change) {
    CreateOptions options = SmallStore();
    change(options);
    return CodeOf(Store::Create(env, "store", options));
  };
  EXPECT_EQ(create([](auto& options) { options.shards = 0; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.shards = 257; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.page_bytes = 2048; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.page_bytes = 65536; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.log_limit_bytes = 2 << 20; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.log_segment_bytes = 1000; }), ErrorCode::kInvalid);
  EXPECT_EQ(create([](auto& options) { options.hash_bits = 0; }), ErrorCode::kInvalid);
  EXPECT_FALSE(env.Exists("store").value());
}

// Wherever the creation is interrupted, the remains are not a store, and the next creation
// succeeds.
TEST(Creation, CutOffIsNoStoreAndCanBeRepeated) {
  for (uint64_t stop = 1;; ++stop) {
    SCOPED_TRACE("power fails at operation " + std::to_string(stop));
    MemoryEnv env;
    env.FailPowerAt(stop);
    const bool created = Store::Create(env, "store", SmallStore()).has_value();
    if (!env.HasPowerFailed()) break;
    for (auto kind : {CrashChoice::Kind::kAll, CrashChoice::Kind::kNone}) {
      auto image = env.CrashImage({kind, 0});
      auto opened = Store::Open(*image, "store");
      if (opened) continue;  // the failure came after the store was complete
      EXPECT_FALSE(created);
      EXPECT_EQ(opened.error().code, ErrorCode::kNotFound) << opened.error().message;
      const auto again = Store::Create(*image, "store", SmallStore());
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_TRUE(Store::Open(*image, "store"));
    }
  }
}

// A creation that fails while the machine continues to run removes what it has created.
TEST(Creation, OneThatFailsLeavesNothingBehind) {
  for (const bool existed : {false, true}) {
    for (uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE("write " + std::to_string(nth) + " fails");
      MemoryEnv env;
      ASSERT_TRUE(!existed || env.CreateDirectory("store"));
      env.InjectFault({.kind = OperationKind::kWrite, .nth = nth, .code = ErrorCode::kNoSpace});
      if (Store::Create(env, "store", SmallStore())) break;
      EXPECT_EQ(env.Exists("store").value(), existed);
      EXPECT_TRUE(!existed || env.ListDirectory("store").value().empty());
      EXPECT_TRUE(Store::Create(env, "store", SmallStore()));
    }
  }
}

}  // namespace
}  // namespace kvfs
