// Calls in the wrong order are refused or end the process, in every build.
#include "store/base/contract.h"

#include <gtest/gtest.h>

#include "store/env/memory_env.h"
#include "store/shard/shard.h"

namespace kvfs {
namespace {

Result<int> Half(int number) {
  KVFS_REQUIRE(number % 2 == 0, "the number is even");
  return number / 2;
}

TEST(ContractTest, ABrokenOneIsAnErrorThatSaysWhere) {
  EXPECT_EQ(Half(4), 2);
  const auto refused = Half(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
  EXPECT_NE(refused.error().message.find("contract_test.cc"), std::string::npos);
  EXPECT_NE(refused.error().message.find("the number is even"), std::string::npos);
}

TEST(ContractDeathTest, ADemandEndsTheProcess) {
  Demand(true, "this holds");
  EXPECT_DEATH(Demand(false, "this does not"), "contract_test.cc.*this does not");
}

class ShardContractDeathTest : public testing::Test {
 protected:
  ShardContractDeathTest() {
    ShardFiles files{env_.CreateFile("keys").value(), env_.CreateFile("values").value()};
    ShardConfig config;
    config.page_bytes = 4096;
    shard_ = std::make_unique<Shard>(std::move(files), config, format::ShardRoot{}, 1);
  }

  MemoryEnv env_;
  std::unique_ptr<Shard> shard_;
};

// Otherwise the memtable's contents would be lost.
TEST_F(ShardContractDeathTest, AnEpochIsClosedAfterTheOneBeforeIsDurable) {
  shard_->CloseEpoch();
  EXPECT_DEATH(shard_->CloseEpoch(), "durable checkpoint");
  ASSERT_TRUE(shard_->WriteClosed(2, false));
  ASSERT_TRUE(shard_->Sync());
  shard_->CheckpointDurable(2);
  shard_->CloseEpoch();
}

TEST_F(ShardContractDeathTest, ACheckpointIsDurableAfterItIsWrittenAndSynced) {
  EXPECT_EQ(shard_->WriteClosed(2, false).error().code, ErrorCode::kInternal);
  EXPECT_DEATH(shard_->CheckpointDurable(2), "written and synced");
  shard_->CloseEpoch();
  EXPECT_DEATH(shard_->CheckpointDurable(2), "written and synced");
  ASSERT_TRUE(shard_->WriteClosed(2, false));
  EXPECT_DEATH(shard_->CheckpointDurable(2), "written and synced");
  ASSERT_TRUE(shard_->Sync());
  EXPECT_DEATH(shard_->CheckpointDurable(3), "written and synced");
  shard_->CheckpointDurable(2);
}

// A number that is freed twice could be allocated twice.
TEST_F(ShardContractDeathTest, ANumberIsHeldBeforeItIsGivenBackOrTaken) {
  BlockAllocator& space = shard_->block_allocator();
  ASSERT_TRUE(space.Preallocate(10));
  EXPECT_DEATH(space.Allocate({5, 1}), "pinned before it is allocated");
  const kvfs::Run run = space.Pin(2);
  space.Unpin(run);
  EXPECT_DEATH(space.Unpin(run), "once");
}

}  // namespace
}  // namespace kvfs
