// A content that is staged, and then given to another entry in one step.
#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace kvfs {
namespace {

class TakeContent : public StoreFixture, public testing::WithParamInterface<size_t> {
 protected:
  // A content of `bytes` bytes; half of a large one is a hole.
  void Stage(uint64_t like, size_t size) {
    const uint64_t id = store_->ReserveIdLike(like);
    ASSERT_TRUE(Apply([&](Batch& b) { b.PutAs({kTransientDirectory, "staged"}, id, {}, "m"); }));
    const std::string half(size - size / 2, 's');
    ASSERT_TRUE(Apply([&](Batch& batch) {
      batch.Write({kTransientDirectory, "staged"}, size / 2, AsBytes(half));
      batch.Resize({kTransientDirectory, "staged"}, size);
    }));
  }
  void Take() {
    ASSERT_TRUE(Apply([](Batch& b) { b.TakeContent(kFoo, {kTransientDirectory, "staged"}); }));
  }
  static std::string Expected(size_t size) {
    return std::string(size / 2, '\0') + std::string(size - size / 2, 's');
  }
  void ExpectSound() {
    ASSERT_TRUE(store_->Checkpoint());
    const auto report = store_->Check({});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->damages + report->space_findings, 0u);
  }
  static constexpr Key kFoo = {kRootDirectory, "foo"};
};
INSTANTIATE_TEST_SUITE_P(Sizes, TakeContent, testing::Values(0, 5, 3000, 20'000, 700'000));

TEST_P(TakeContent, TheEntryKeepsItsIdAndMetaAndTheOtherIsGone) {
  for (const size_t before : {size_t{0}, size_t{10}, size_t{9000}, size_t{500'000}}) {
    const std::string old(before, 'o');
    ASSERT_TRUE(Apply([&](Batch& batch) { batch.Put(kFoo, AsBytes(old), "mine"); }));
    const EntryInfo present = Stat("foo");
    const auto snapshot = store_->TakeSnapshot().value();
    Stage(present.id, GetParam());
    Take();
    EXPECT_EQ(Stat("foo").id, present.id);
    EXPECT_EQ(Stat("foo").meta, "mine");
    EXPECT_GT(Stat("foo").version, present.version);
    EXPECT_EQ(store_->Get("foo").value(), Expected(GetParam()));
    EXPECT_EQ(List(kTransientDirectory), std::vector<std::string>());
    EXPECT_EQ(snapshot->Get("foo").value(), old);
    ExpectSound();
  }
}

TEST_P(TakeContent, ItIsReplayed) {
  ASSERT_TRUE(store_->Put("foo", std::string(50'000, 'o')));
  Stage(Stat("foo").id, GetParam());
  Take();
  const auto killed = env_.CrashImage({CrashChoice::Kind::kAll, 0});
  store_.reset();
  store_ = Store::Open(*killed, "store").value();
  EXPECT_EQ(store_->Get("foo").value(), Expected(GetParam()));
  ExpectSound();
  store_.reset();
}

TEST_F(StoreFixture, AContentIsTakenOnlyWhereItCanLie) {
  const uint64_t id = PutNew(kRootDirectory, "foo");
  const auto take = [&](std::string_view from) {
    return Apply([&](Batch& b) { b.TakeContent({kRootDirectory, "foo"}, {kRootDirectory, from}); });
  };
  EXPECT_EQ(CodeOf(take("absent")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(take("foo")), ErrorCode::kInvalid);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "other" + std::to_string(i);
    const uint64_t other = PutNew(kRootDirectory, name);
    if (other % 3 == id % 3) continue;
    EXPECT_EQ(CodeOf(take(name)), ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace kvfs
