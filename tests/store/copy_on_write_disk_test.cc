// A disk that needs free space to overwrite data, as copy-on-write file systems do. Without free
// space, whichever write it refuses, the result is an error that loses nothing; with space,
// everything continues.
#include <gtest/gtest.h>

#include "store/env/memory_env.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kStride = kIsSanitized ? 5 : 1;

class CopyOnWriteDisk : public testing::Test {
 protected:
  void Prepare() {
    store_.reset();
    disk_ = std::make_unique<MemoryEnv>();
    acknowledged_.clear();
    ASSERT_TRUE(Store::Create(*disk_, "store", SmallStore(2, 4096)));
    ASSERT_NO_FATAL_FAILURE(Open());
  }
  void Open() {
    OpenOptions options;
    options.idle_ms = 0;
    store_.reset();
    auto opened = Store::Open(*disk_, "store", options);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  // No space is the only error.
  bool Done(const Result<void>& done) {
    if (done) return true;
    EXPECT_EQ(done.error().code, ErrorCode::kNoSpace) << done.error().message;
    return false;
  }
  bool Put(const std::string& name, const std::string& content) {
    if (!Done(store_->Put(name, content))) return false;
    acknowledged_[{kRootDirectory, name}].content = content;
    return true;
  }
  bool Erase(const std::string& name) {
    if (!Done(store_->Erase(name))) return false;
    acknowledged_.erase({kRootDirectory, name});
    return true;
  }
  // Within the entry's existing content.
  void WriteOver(const std::string& name, uint64_t offset, const std::string& data) {
    const auto entry = acknowledged_.find({kRootDirectory, name});
    if (entry == acknowledged_.end()) return;
    Batch batch;
    batch.Write({kRootDirectory, name}, offset, AsBytes(data));
    if (Done(store_->Apply(batch))) entry->second.content.replace(offset, data.size(), data);
  }

  void ExpectAllIsWell() {
    ASSERT_TRUE(store_->Put("after", "value"));
    acknowledged_[{kRootDirectory, "after"}].content = "value";
    auto synced = store_->Sync();
    ASSERT_TRUE(synced) << synced.error().message;
    EXPECT_EQ(Difference(acknowledged_, ReadStore(*store_).value()), "");
    auto image = disk_->CrashImage({CrashChoice::Kind::kNone, 0});
    auto found = Store::Open(*image, "store");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(Difference(acknowledged_, ReadStore(**found).value()), "");
    auto taken = store_->Checkpoint();
    ASSERT_TRUE(taken) << taken.error().message;
    ExpectSound(*store_);
    ASSERT_NO_FATAL_FAILURE(Open());
    EXPECT_EQ(Difference(acknowledged_, ReadStore(*store_).value()), "");
    ExpectSound(*store_);
  }

  std::unique_ptr<MemoryEnv> disk_;
  std::unique_ptr<Store> store_;
  Model acknowledged_;
};

TEST_F(CopyOnWriteDisk, ThatIsFullLosesNothingAndGoesOnWithRoom) {
  ASSERT_NO_FATAL_FAILURE(Prepare());
  disk_->SetCapacity(12 << 20);
  disk_->SetCopyOnWrite(true);
  int count = 0;
  while (Put("name " + std::to_string(count), std::string(3'000, 'v'))) ++count;
  EXPECT_GT(count, 500);
  auto other = disk_->CreateFile("other").value();
  for (uint64_t at = 0; other->Allocate(at, 4096); at += 4096) continue;
  for (int i = 0; i < count; ++i) Erase("name " + std::to_string(i));
  Done(store_->Sync());
  Done(store_->Checkpoint());
  EXPECT_EQ(Difference(acknowledged_, ReadStore(*store_).value()), "");
  disk_->SetCapacity(64 << 20);
  ExpectAllIsWell();
}

// The n-th write of all is refused, whatever it writes: a slot of the superblock, an allocation
// map, a block that is overwritten, a segment's header.
TEST_F(CopyOnWriteDisk, AnyRefusedWriteIsNoFinalFailure) {
  uint64_t nth = 1;
  for (;; nth += kStride) {
    SCOPED_TRACE("write number " + std::to_string(nth));
    ASSERT_NO_FATAL_FAILURE(Prepare());
    disk_->InjectFault({.kind = OperationKind::kWrite, .nth = nth, .code = ErrorCode::kNoSpace});
    const std::string large(40'000, 'l');
    for (int round = 0; round < 2; ++round) {
      const std::string number = std::to_string(round);
      Put("small " + number, "value");
      Put("large " + number, large);
      Put("blocks " + number, std::string(5'000, 'b'));
      WriteOver("blocks " + number, 100, "over");
      WriteOver("blocks " + number, 200, "again");
      WriteOver("large 0", 300, "over " + number);
      Done(store_->Sync());
      Done(store_->Checkpoint());
      WriteOver("blocks " + number, 300, "and again");
    }
    const bool is_over = disk_->PendingFaults() > 0;
    if (is_over) break;
    ExpectAllIsWell();
    if (HasFailure()) return;
  }
  EXPECT_GT(nth, 40u);
}

}  // namespace
}  // namespace kvfs
