// Contents: their ends, their disk space, and what reads of them return.
#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

class Contents : public StoreFixture {};

TEST_F(Contents, ContentsEndBelowTwoToThe63) {
  ASSERT_TRUE(store_->Put("name", ""));
  EXPECT_TRUE(Resize("name", kMaxContentBytes));
  EXPECT_EQ(CodeOf(Resize("name", kMaxContentBytes + 1)), ErrorCode::kInvalid);
  EXPECT_TRUE(Write("name", kMaxContentBytes - 1, "x"));
  EXPECT_EQ(CodeOf(Write("name", kMaxContentBytes, "x")), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(Write("name", ~uint64_t{0}, "x")), ErrorCode::kInvalid);
  EXPECT_EQ(Stat("name").size_bytes, kMaxContentBytes);
  EXPECT_EQ(Read("name", kMaxContentBytes - 2, 100), std::string("\0x", 2));
  EXPECT_EQ(Read("name", kMaxContentBytes, 1), "");
  EXPECT_EQ(Read("name", ~uint64_t{0}, 1), "");
}

TEST_F(Contents, TakesAValueLargerThanALogSegment) {
  const std::string value(5'000'000, 'v');
  ASSERT_TRUE(store_->Put("name", value));
  Reopen();
  EXPECT_TRUE(store_->Get("name").value() == value);
}

TEST_F(Contents, SparseContentsTakeWhatTheyHold) {
  ASSERT_TRUE(store_->Put("sparse", ""));
  ASSERT_TRUE(Resize("sparse", uint64_t{1} << 40));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 0u);
  ASSERT_TRUE(Write("sparse", uint64_t{1} << 39, "x"));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 4096u);
  ASSERT_TRUE(Write("sparse", 0, std::string(8192, 'y')));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 3 * 4096u);
  ASSERT_TRUE(Apply([](Batch& batch) { batch.Punch({kRootDirectory, "sparse"}, 0, 4096); }));
  EXPECT_EQ(Stat("sparse").allocated_bytes, 2 * 4096u);
  EXPECT_EQ(Stat("sparse").size_bytes, uint64_t{1} << 40);
  Reopen();
  EXPECT_EQ(Stat("sparse").allocated_bytes, 2 * 4096u);
  EXPECT_EQ(Read("sparse", 4095, 2), std::string("\0y", 2));
}

TEST_F(Contents, ErasedContentsGiveAllTheirBlocksBack) {
  for (size_t size : {1'500, 4'096, 9'000, 300'000}) {
    SCOPED_TRACE(size);
    ASSERT_TRUE(store_->Put("name", std::string(size, 'x')));
    ASSERT_TRUE(store_->Erase("name"));
    ASSERT_TRUE(store_->Put("name", std::string(size, 'x')));
    ASSERT_TRUE(Resize("name", size / 2 + 1));
    ASSERT_TRUE(store_->Erase("name"));
    ASSERT_TRUE(store_->Checkpoint());
    EXPECT_EQ(store_->GetStats().block_bytes_used, 0u);
  }
}

TEST_F(Contents, ReadsStopAtTheContentsEnd) {
  ASSERT_TRUE(store_->Put("small", "0123456789"));
  ASSERT_TRUE(store_->Put("large", std::string(10'000, 'x')));
  EXPECT_EQ(Read("small", 4, 3), "456");
  EXPECT_EQ(Read("small", 8, 10), "89");
  EXPECT_EQ(Read("small", 10, 10), "");
  EXPECT_EQ(Read("large", 9'998, 10), "xx");
  EXPECT_EQ(Read("large", 10'000, 10), "");
}

// For a content that ends with a hole: blocks named by its entry, and blocks in chunks.
TEST_F(Contents, AHoleAtTheEndIsFound) {
  for (const uint64_t size : {uint64_t{32'768}, uint64_t{10'485'760}}) {
    const std::string name = "ends with a hole, " + std::to_string(size);
    ASSERT_TRUE(store_->Put(name, std::string(4096, 'd')));
    ASSERT_TRUE(Resize(name, size));
    const Key key{kRootDirectory, name};
    EXPECT_EQ(store_->FindHole(key, 0).value(), 4096u);
    EXPECT_EQ(store_->FindHole(key, size / 2).value(), size / 2);
    EXPECT_EQ(store_->FindData(key, size / 2).value(), size);
  }
}

}  // namespace
}  // namespace kvfs
