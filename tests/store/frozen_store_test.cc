// A store frozen at one moment: reads see that moment, and changes are refused.
#include <gtest/gtest.h>

#include <kvfs/frozen_store.h>
#include "store/env/memory_env.h"

namespace kvfs {
namespace {

class FrozenStoreTest : public testing::Test {
 protected:
  FrozenStoreTest() {
    EXPECT_TRUE(Store::Create(disk_, "store"));
    store_ = Store::Open(disk_, "store").value();
    EXPECT_TRUE(store_->Put("name", "then"));
    frozen_ = FrozenStore::Of(*store_).value();
    EXPECT_TRUE(store_->Put("name", "now"));
    EXPECT_TRUE(store_->Put("later", "now"));
  }

  template <typename T>
  static void ExpectRefused(const Result<T>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kReadOnly) << result.error().message;
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<FrozenStore> frozen_;
};

TEST_F(FrozenStoreTest, ShowsItsMoment) {
  EXPECT_EQ(frozen_->Get("name").value(), "then");
  EXPECT_EQ(frozen_->Get("later").error().code, ErrorCode::kNotFound);
  std::string content;
  ASSERT_TRUE(frozen_->ReadAll({kRootDirectory, "name"}, &content));
  EXPECT_EQ(content, "then");
  size_t entries = 0;
  ASSERT_TRUE(frozen_->List(kRootDirectory, 0, [&](const ListedEntry&) { return ++entries > 0; }));
  EXPECT_EQ(entries, 1u);
}

TEST_F(FrozenStoreTest, RefusesChanges) {
  Batch batch;
  batch.Resize({kRootDirectory, "name"}, 1);
  ExpectRefused(frozen_->Apply(batch));
  ExpectRefused(frozen_->ApplyPart(batch));
  ExpectRefused(frozen_->Put("name", "new"));
  ExpectRefused(frozen_->Erase("name"));
  ExpectRefused(
      frozen_->CopyRange({kRootDirectory, "name"}, 0, {kRootDirectory, "later"}, 0, 1, {}));
  ExpectRefused(frozen_->Checkpoint());
  ExpectRefused(frozen_->Compact());
  EXPECT_EQ(store_->Get("name").value(), "now");
}

TEST_F(FrozenStoreTest, ClosingItLeavesTheStoreOpen) {
  EXPECT_TRUE(frozen_->Close());
  EXPECT_TRUE(store_->Put("name", "later"));
}

}  // namespace
}  // namespace kvfs
