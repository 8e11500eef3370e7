// A repair copies everything readable of a damaged store into a new one, reports losses by name,
// and does not change the damaged one.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include <kvfs/repair.h>
#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "store/format/superblock.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kPage = 4096;
constexpr DirectoryId kOtherDirectory = 100;  // a directory that ReadStore reads

std::string Text(size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + (seed = seed * 1103515245 + 12345) / 65536 % 26);
  return text;
}

class RepairTest : public testing::Test {
 protected:
  RepairTest() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(2, kPage)));
    store_ = Store::Open(disk_, "store").value();
  }

  void Put(DirectoryId directory, const std::string& name, const std::string& content) {
    const std::string meta = "meta of " + name;
    Batch batch;
    batch.Put({directory, name}, AsBytes(content), meta);
    ASSERT_TRUE(store_->Apply(batch));
    expected_[{directory, name}] = {content, meta};
  }
  void Resize(DirectoryId directory, const std::string& name, uint64_t size) {
    Batch batch;
    batch.Resize({directory, name}, size);
    ASSERT_TRUE(store_->Apply(batch));
    expected_[{directory, name}].content.resize(size);
  }
  // Entries of every shape, and more than one leaf in each shard.
  void Fill() {
    for (unsigned i = 0; i < 200; ++i)
      Put(kRootDirectory, "small " + std::to_string(i), Text(100, i));
    for (unsigned i = 0; i < 4; ++i)
      Put(kOtherDirectory, "direct " + std::to_string(i), Text(9000, i));
    for (unsigned i = 0; i < 2; ++i) {
      Put(kOtherDirectory, "large " + std::to_string(i), Text(200'000, i));
    }
    Resize(kOtherDirectory, "direct 0", 20'000);
    Resize(kOtherDirectory, "large 0", 1'000'000);
  }
  void Close() {
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }
  void FillAndClose() {
    Fill();
    Close();
  }

  // Repairs into `repaired_`.
  void Repair(MemoryEnv& env) {
    losses_.clear();
    const size_t operations = env.Journal().size();
    RepairOptions options;
    options.on_loss = [this](const std::string& loss) { losses_.push_back(loss); };
    copied_.clear();
    options.on_entry = [this](uint64_t directory, uint64_t id) { copied_.insert({directory, id}); };
    const auto report = RepairStore(env, "store", "repaired", options);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->losses, losses_.size());
    const auto journal = env.Journal();
    for (size_t i = operations; i < journal.size(); ++i) {
      EXPECT_FALSE(journal[i].path.starts_with("store")) << DescribeOperation(journal[i]);
    }
    repaired_ = Store::Open(env, "repaired").value();
    ExpectSound(*repaired_);
    EXPECT_EQ(repaired_->GetStats().entries, report->entries);
  }
  void Repair() { Repair(disk_); }

  std::string Losses() const {
    std::string text;
    for (const std::string& loss : losses_) text += loss + "\n";
    return text;
  }
  bool IsLost(const std::string& name) const {
    return std::ranges::any_of(losses_, [&](const std::string& loss) {
      return loss.find("\"" + name + "\"") != std::string::npos;
    });
  }
  // Reads all of it.
  void ExpectWhole() {
    const auto held = ReadStore(*repaired_);
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_EQ(Difference(expected_, *held), "");
    EXPECT_TRUE(losses_.empty()) << Losses();
  }
  // Each entry is correct, or reported; returns how many are missing.
  size_t ExpectRightOrTold() {
    const auto held = ReadStore(*repaired_);
    EXPECT_TRUE(held) << held.error().message;
    size_t missing = 0;
    for (const auto& [key, entry] : expected_) {
      const auto found = held->find(key);
      if (found == held->end()) ++missing;
      const bool is_right = found != held->end() && found->second == entry;
      EXPECT_TRUE(is_right || IsLost(key.second)) << key.second << "\n" << Losses();
    }
    for (const auto& [key, entry] : *held) EXPECT_TRUE(expected_.contains(key)) << key.second;
    return missing;
  }

  std::unique_ptr<File> FileOf(const std::string& name) {
    return disk_.OpenFile("store/" + name).value();
  }
  static void FlipIn(Env& env, const std::string& path, uint64_t offset) {
    auto file = env.OpenFile(path).value();
    std::byte byte[1];
    ASSERT_TRUE(file->Read(offset, byte));
    byte[0] ^= std::byte{0x10};
    ASSERT_TRUE(file->Write(offset, byte));
  }
  void Flip(const std::string& name, uint64_t offset) { FlipIn(disk_, "store/" + name, offset); }
  format::Checkpoint Checkpoint() {
    std::vector<std::byte> identity(format::kIdentityBytes);
    std::vector<std::byte> slot(format::kSlotOffset[1] - format::kSlotOffset[0]);
    EXPECT_TRUE(FileOf("superblock")->Read(0, identity));
    EXPECT_TRUE(FileOf("superblock")->Read(format::kSlotOffset[0], slot));
    return format::Checkpoint::Decode(slot, format::Identity::Decode(identity)->store, 2).value();
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Store> repaired_;
  Model expected_;
  std::vector<std::string> losses_;
  std::set<std::pair<uint64_t, uint64_t>> copied_;  // directory and id of each entry
};

TEST_F(RepairTest, CopiesASoundStore) {
  FillAndClose();
  Repair();
  ExpectWhole();
}

TEST_F(RepairTest, TakesWhatARecoveryWouldTake) {
  Fill();
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  Repair(*image);
  ExpectWhole();
  repaired_.reset();
}

TEST_F(RepairTest, KeepsIdsAndGivesNoneTwice) {
  FillAndClose();
  store_ = Store::Open(disk_, "store").value();
  std::set<uint64_t> ids;
  std::map<std::string, uint64_t> before;
  std::set<std::pair<uint64_t, uint64_t>> told;
  for (const auto& [key, entry] : expected_) {
    before[key.second] = store_->Stat({key.first, key.second})->id;
    ids.insert(before[key.second]);
    told.insert({key.first, before[key.second]});
  }
  Close();
  Repair();
  EXPECT_EQ(copied_, told);
  for (const auto& [key, entry] : expected_) {
    EXPECT_EQ(repaired_->Stat({key.first, key.second})->id, before[key.second]);
  }
  for (int i = 0; i < 500; ++i) {
    const std::string name = "new " + std::to_string(i);
    ASSERT_TRUE(repaired_->Put(name, "x"));
    EXPECT_TRUE(ids.insert(repaired_->Stat({kRootDirectory, name})->id).second);
  }
}

TEST_F(RepairTest, KeepsHolesAsHoles) {
  FillAndClose();
  Repair();
  const auto info = repaired_->Stat({kOtherDirectory, "large 0"});
  ASSERT_TRUE(info);
  EXPECT_EQ(info->size_bytes, 1'000'000u);
  EXPECT_LT(info->allocated_bytes, 210'000u);
}

TEST_F(RepairTest, WithoutItsBranchesATreeLosesNothing) {
  FillAndClose();
  const format::ShardRoot root = Checkpoint().shards[0];
  ASSERT_EQ(root.height, 2);
  Flip("shard-00.keys", root.root.number * kPage + 60);
  Repair();
  EXPECT_EQ(ExpectRightOrTold(), 0u);
  ASSERT_EQ(losses_.size(), 1u) << Losses();
  EXPECT_NE(losses_[0].find("page " + std::to_string(root.root.number)), std::string::npos);
}

TEST_F(RepairTest, TellsWhatLayOnADamagedLeafByName) {
  FillAndClose();
  const format::ShardRoot root = Checkpoint().shards[0];
  for (uint64_t leaf = 1; leaf <= root.leaves; ++leaf) {
    auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    // A bit of the last record's last byte: all names can still be reported.
    FlipIn(*image, "store/shard-00.keys", leaf * kPage + 20);
    Repair(*image);
    EXPECT_GT(ExpectRightOrTold(), 5u);
    repaired_.reset();
  }
}

TEST_F(RepairTest, TellsWhichBytesOfAnEntryAreLost) {
  FillAndClose();
  for (const char* name : {"shard-00.values", "shard-01.values"}) {
    const uint64_t blocks = FileOf(name)->SizeBytes().value() / kPage;
    for (uint64_t block = 1; block < blocks; block += 3) {
      auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
      FlipIn(*image, std::string("store/") + name, block * kPage + 99);
      Repair(*image);
      EXPECT_EQ(ExpectRightOrTold(), 0u);
      EXPECT_LE(losses_.size(), 1u) << Losses();
      for (const auto& [key, entry] : expected_) {
        if (!IsLost(key.second)) continue;
        std::string content(entry.content.size(), '?');
        ASSERT_TRUE(repaired_->Read({key.first, key.second}, 0,
                                    std::as_writable_bytes(std::span(content))));
        size_t different = 0;
        for (size_t i = 0; i < content.size(); ++i) different += content[i] != entry.content[i];
        EXPECT_LE(different, kPage) << "one block of " << key.second;
      }
      repaired_.reset();
    }
  }
}

TEST_F(RepairTest, WithoutACheckpointItTakesAllLeaves) {
  FillAndClose();
  for (const uint64_t slot : format::kSlotOffset) Flip("superblock", slot + 40);
  ASSERT_TRUE(disk_.RemoveFile("store/identity"));
  Repair();
  EXPECT_EQ(ExpectRightOrTold(), 0u);
  ASSERT_EQ(losses_.size(), 1u) << Losses();
  EXPECT_NE(losses_[0].find("checkpoint"), std::string::npos);
}

TEST_F(RepairTest, WithoutMapAndBranchesItTakesTheNewestLeaves) {
  FillAndClose();
  store_ = Store::Open(disk_, "store").value();
  for (unsigned i = 0; i < 200; i += 2) {
    Put(kRootDirectory, "small " + std::to_string(i), Text(100, 1000 + i));
  }
  Close();
  const format::ShardRoot root = Checkpoint().shards[0];
  Flip("shard-00.keys", root.root.number * kPage + 60);
  Flip("shard-00.values", root.page_map.root.number * kPage + 60);
  Repair();
  EXPECT_EQ(ExpectRightOrTold(), 0u);
}

// Pages of the next epoch exist if a checkpoint was interrupted. Pages of two later epochs prove
// that the newest checkpoint found is older than the store.
TEST_F(RepairTest, AnOldCheckpointIsKnownByThePagesThatAreNewer) {
  constexpr const char* kTold[] = {"superblock", "identity"};
  Fill();
  ASSERT_TRUE(store_->Checkpoint());
  std::map<std::string, std::vector<std::byte>> old;
  for (const char* name : kTold) {
    auto file = FileOf(name);
    old[name].resize(file->SizeBytes().value());
    ASSERT_TRUE(file->Read(0, old[name]));
  }
  for (int later = 1; later <= 2; ++later) {
    for (unsigned i = 0; i < 200; ++i)
      Put(kRootDirectory, "small " + std::to_string(i), Text(90, i));
    ASSERT_TRUE(store_->Checkpoint());
    auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    for (const char* name : kTold) {
      ASSERT_TRUE(image->OpenFile(std::string("store/") + name).value()->Write(0, old[name]));
    }
    Repair(*image);
    const bool is_old = Losses().find("older than the pages") != std::string::npos;
    EXPECT_EQ(is_old, later > 1) << later << "\n" << Losses();
    repaired_.reset();
  }
}

TEST_F(RepairTest, AMissingFileCostsWhatItHeld) {
  FillAndClose();
  for (const char* name : {"shard-00.keys", "shard-01.keys", "shard-00.values"}) {
    auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    ASSERT_TRUE(image->RemoveFile(std::string("store/") + name));
    Repair(*image);
    const auto held = ReadStore(*repaired_);
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_GT(held->size(), 50u);
    EXPECT_GE(losses_.size(), 1u);
    EXPECT_NE(losses_[0].find(name), std::string::npos) << Losses();
    repaired_.reset();
  }
}

TEST_F(RepairTest, WithoutItsLogItTakesTheCheckpoint) {
  FillAndClose();
  store_ = Store::Open(disk_, "store").value();
  ASSERT_TRUE(store_->Put("later", "lost with the log"));
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  const auto names = image->ListDirectory("store/log").value();
  for (const std::string& name : names) ASSERT_TRUE(image->RemoveFile("store/log/" + name));
  Repair(*image);
  EXPECT_EQ(ExpectRightOrTold(), 0u);
  ASSERT_EQ(losses_.size(), 1u) << Losses();
  EXPECT_NE(losses_[0].find("log"), std::string::npos);
  repaired_.reset();
}

// Whichever byte is damaged: each entry is correct, or reported, by its name or by its page.
TEST_F(RepairTest, AnyDamagedByteIsTold) {
  FillAndClose();
  for (const char* name : {"shard-00.keys", "shard-01.keys", "superblock", "identity"}) {
    const uint64_t size = FileOf(name)->SizeBytes().value();
    for (uint64_t offset = 13; offset < size; offset += 997) {
      SCOPED_TRACE("byte " + std::to_string(offset) + " of " + name);
      auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
      FlipIn(*image, std::string("store/") + name, offset);
      Repair(*image);
      const auto held = ReadStore(*repaired_);
      ASSERT_TRUE(held);
      for (const auto& [key, entry] : expected_) {
        const auto found = held->find(key);
        const bool is_right = found != held->end() && found->second == entry;
        EXPECT_TRUE(is_right || !losses_.empty()) << key.second;
        EXPECT_TRUE(is_right || found == held->end()) << key.second << " is wrong";
      }
      repaired_.reset();
      if (HasFailure()) return;
    }
  }
}

// Cases that it refuses.

TEST_F(RepairTest, RefusesWhatItCannotDo) {
  FillAndClose();
  auto code = [&](const std::string& from, const std::string& to) {
    const auto report = RepairStore(disk_, from, to);
    EXPECT_FALSE(report);
    EXPECT_FALSE(report.error().message.empty());
    return report.error().code;
  };
  EXPECT_EQ(code("nowhere", "repaired"), ErrorCode::kNotFound);
  EXPECT_EQ(code("store", "store"), ErrorCode::kExists);
  store_ = Store::Open(disk_, "store").value();
  EXPECT_EQ(code("store", "repaired"), ErrorCode::kInUse);
  Close();
  for (const uint64_t identity : format::kIdentityOffset) Flip("superblock", identity + 30);
  ASSERT_TRUE(disk_.RemoveFile("store/identity"));
  EXPECT_EQ(code("store", "repaired"), ErrorCode::kCorrupt);
}

TEST_F(RepairTest, AFullDiskIsAnError) {
  for (unsigned i = 0; i < 30; ++i) {
    Put(kOtherDirectory, "large " + std::to_string(i), Text(500'000, i));
  }
  Close();
  const DiskSpace space = disk_.GetDiskSpace("store").value();
  disk_.SetCapacity(space.total_bytes - space.available_bytes + (8 << 20));
  const auto report = RepairStore(disk_, "store", "repaired");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNoSpace) << report.error().message;
}

// The other copy is used.
TEST_F(RepairTest, AFailingReadOfTheSuperblockCostsNothing) {
  FillAndClose();
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  image->InjectFault({.kind = OperationKind::kRead, .path_contains = "store/superblock", .nth = 1});
  Repair(*image);
  ExpectWhole();
  repaired_.reset();
}

}  // namespace
}  // namespace kvfs
