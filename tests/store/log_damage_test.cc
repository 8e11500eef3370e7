// A log that is damaged where it was durable is told from one that a loss of power has cut off.
#include <gtest/gtest.h>

#include "store/env/memory_env.h"
#include "store/store.h"
#include "tests/store/soundness.h"

namespace kvfs {
namespace {

constexpr uint64_t kSegmentBytes = 1 << 20;

class LogDamageTest : public testing::Test {
 protected:
  LogDamageTest() {
    CreateOptions options;
    options.shards = 1;
    options.hash_seed = 1;
    options.log_segment_bytes = kSegmentBytes;
    options.log_limit_bytes = 16 * kSegmentBytes;
    EXPECT_TRUE(Store::Create(env_, "store", options));
    store_ = Open(env_).value();
  }

  static Result<std::unique_ptr<Store>> Open(Env& env, bool read_only = false) {
    OpenOptions options;
    options.idle_ms = 0;
    options.read_only = read_only;
    return Store::Open(env, "store", options);
  }

  std::unique_ptr<MemoryEnv> Everything() { return env_.CrashImage({CrashChoice::Kind::kAll, 0}); }

  static std::string BytesOf(Env& env, const std::string& path) {
    auto file = env.OpenFile(path).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    EXPECT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
  static void Overwrite(Env& env, const std::string& path, uint64_t offset,
                        const std::string& bytes) {
    ASSERT_TRUE(env.OpenFile(path).value()->Write(offset, AsBytes(bytes)));
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

// However many blocks are damaged, each segment is read by the two passes of a replay, and once in
// search of what is proven.
TEST_F(LogDamageTest, TheLogIsReadAFewTimesHoweverManyBlocksAreDamaged) {
  ASSERT_TRUE(store_->Put("large", std::string(200 * 4096, 'B')));
  ASSERT_TRUE(store_->Sync());
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(store_->Put("name " + std::to_string(i), std::string(1000, 'v')));
  }
  ASSERT_TRUE(store_->Sync());
  ASSERT_TRUE(store_->Put("last", "value"));
  auto image = Everything();
  const std::string values = BytesOf(*image, "store/shard-00.values");
  size_t damaged = 0;
  for (size_t at = 0; at < values.size(); at += 4096) {
    if (values[at] != 'B') continue;
    Overwrite(*image, "store/shard-00.values", at, "X");
    ++damaged;
  }
  ASSERT_GE(damaged, 200u);
  const size_t segments = image->ListDirectory("store/log").value().size();
  image->InjectFault({OperationKind::kRead, "store/log/segment", 6 * segments});
  auto store = Open(*image);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(image->PendingFaults(), 1u) << "the log was read more often";
  EXPECT_TRUE((*store)->Get("last"));
  EXPECT_EQ((*store)->Get("large").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace kvfs
