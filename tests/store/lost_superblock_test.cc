// A store whose superblock is lost is repaired from its copy, from its trees and from its log.
#include <gtest/gtest.h>

#include <functional>

#include <kvfs/repair.h>
#include <kvfs/store.h>
#include "store/engine/identity_file.h"
#include "store/env/memory_env.h"
#include "store/format/superblock.h"
#include "tests/store/model.h"
#include "tests/store/soundness.h"

namespace kvfs {
namespace {

constexpr uint64_t kCopyOfCheckpoint = 4096;

struct Loss {
  const char* name;
  std::function<void(MemoryEnv&)> inflict;
};

void Cover(MemoryEnv& env, const std::string& path, std::byte with) {
  auto file = env.OpenFile(path).value();
  ASSERT_TRUE(file->Write(0, std::vector<std::byte>(file->SizeBytes().value(), with)));
}
void Cut(MemoryEnv& env, uint64_t size) {
  ASSERT_TRUE(env.OpenFile("store/superblock").value()->Shorten(size));
}

const std::vector<Loss>& Losses() {
  static const std::vector<Loss> losses = {
      {"zeros", [](MemoryEnv& env) { Cover(env, "store/superblock", std::byte{0}); }},
      {"other bytes", [](MemoryEnv& env) { Cover(env, "store/superblock", std::byte{0x5a}); }},
      {"cut short", [](MemoryEnv& env) { Cut(env, 1000); }},
      {"empty", [](MemoryEnv& env) { Cut(env, 0); }},
      {"missing", [](MemoryEnv& env) { ASSERT_TRUE(env.RemoveFile("store/superblock")); }},
      {"no slots",
       [](MemoryEnv& env) {
         const std::vector<std::byte> zeros(2 * (format::kSlotOffset[1] - format::kSlotOffset[0]));
         auto file = env.OpenFile("store/superblock").value();
         ASSERT_TRUE(file->Write(format::kSlotOffset[0], zeros));
       }},
  };
  return losses;
}

class LostSuperblock : public testing::Test {
 protected:
  LostSuperblock() {
    CreateOptions options;
    options.shards = 2;
    options.page_bytes = 4096;
    options.log_segment_bytes = 1 << 20;
    options.log_limit_bytes = 4 << 20;
    EXPECT_TRUE(Store::Create(disk_, "store", options));
    Open();
  }
  void Open() { store_ = Store::Open(disk_, "store").value(); }
  void Put(const std::string& name, const std::string& value) {
    ASSERT_TRUE(store_->Put(name, value));
    expected_[{kRootDirectory, name}].content = value;
  }
  void Erase(const std::string& name) {
    ASSERT_TRUE(store_->Erase(name));
    expected_.erase({kRootDirectory, name});
  }
  void Move(const std::string& from, const std::string& to) {
    Batch batch;
    batch.Move({kRootDirectory, from}, {kRootDirectory, to});
    ASSERT_TRUE(store_->Apply(batch));
    auto moved = expected_.extract({kRootDirectory, from});
    moved.key().second = to;
    expected_.insert(std::move(moved));
  }
  static std::string Name(int i) { return "key " + std::to_string(i); }
  // Overwrites and deletes, with checkpoints between them, and some changes after the last one.
  void Fill() {
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 300; ++i) Put(Name(i), Name(i) + " in round " + std::to_string(round));
      Put("large " + std::to_string(round), std::string(50'000, static_cast<char>('a' + round)));
      Put("large", std::string(300'000, static_cast<char>('a' + round)));
      for (int i = round; i < 300; i += 7) Erase(Name(i));
      if (round == 3) break;
      ASSERT_TRUE(store_->Checkpoint());
    }
    Move("large 0", "moved");
  }
  void Close() {
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }
  std::unique_ptr<MemoryEnv> Killed() { return disk_.CrashImage({CrashChoice::Kind::kAll, 0}); }

  Result<RepairReport> Repair(MemoryEnv& env) {
    told_.clear();
    RepairOptions options;
    options.on_loss = [this](const std::string& loss) { told_ += loss + "\n"; };
    return RepairStore(env, "store", "repaired", options);
  }
  Model Repaired(MemoryEnv& env) {
    const auto report = Repair(env);
    EXPECT_TRUE(report) << report.error().message;
    if (!report) return {};
    auto repaired = Store::Open(env, "repaired").value();
    ExpectSound(*repaired);
    return ReadStore(*repaired).value();
  }
  // Nothing is lost, and nothing erased has reappeared.
  void ExpectWhole(MemoryEnv& env) {
    EXPECT_EQ(Difference(expected_, Repaired(env)), "");
    EXPECT_EQ(told_, "");
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  Model expected_;
  std::string told_;
};

TEST_F(LostSuperblock, AClosedStoreIsRepairedWhole) {
  Fill();
  Close();
  for (const Loss& loss : Losses()) {
    SCOPED_TRACE(loss.name);
    auto image = Killed();
    loss.inflict(*image);
    ExpectWhole(*image);
  }
}

TEST_F(LostSuperblock, AKilledStoreIsRepairedWhole) {
  Fill();
  for (const Loss& loss : Losses()) {
    SCOPED_TRACE(loss.name);
    auto image = Killed();
    loss.inflict(*image);
    ExpectWhole(*image);
  }
}

TEST_F(LostSuperblock, AStoreThatIsOpenedAgainAndKilledIsRepairedWhole) {
  Fill();
  Close();
  Open();
  Put("later", "value");
  Erase(Name(1));
  auto image = Killed();
  Losses().front().inflict(*image);
  ExpectWhole(*image);
}

TEST_F(LostSuperblock, WhatWasSyncedIsThereAfterALossOfPower) {
  Fill();
  ASSERT_TRUE(store_->Checkpoint());
  Put("synced", "value");
  ASSERT_TRUE(store_->Sync());
  auto image = disk_.CrashImage({CrashChoice::Kind::kNone, 0});
  Losses().front().inflict(*image);
  ExpectWhole(*image);
}

// Like a backup's: the identity, but no usable checkpoint.
TEST_F(LostSuperblock, AnOldCopyIsNotBelieved) {
  auto old = Killed();
  Fill();
  Close();
  for (const char* name : {"identity", "superblock"}) {
    SCOPED_TRACE(name);
    auto image = Killed();
    for (const char* lost : {"identity", "superblock"}) {
      ASSERT_TRUE(image->RemoveFile(std::string("store/") + lost));
    }
    auto from = old->OpenFile(std::string("store/") + name).value();
    std::vector<std::byte> bytes(from->SizeBytes().value());
    ASSERT_TRUE(from->Read(0, bytes));
    ASSERT_TRUE(image->CreateFile(std::string("store/") + name).value()->Write(0, bytes));
    const Model held = Repaired(*image);
    EXPECT_NE(told_.find("may be among them"), std::string::npos) << told_;
    for (const auto& [key, entry] : expected_) {
      ASSERT_TRUE(held.contains(key)) << key.second;
      EXPECT_TRUE(held.at(key) == entry) << key.second;
    }
  }
}

TEST_F(LostSuperblock, WithoutTheIdentityTheErrorSaysWhatToPutInItsPlace) {
  Fill();
  Close();
  for (const Loss& loss : Losses()) {
    if (std::string(loss.name) == "no slots") continue;
    SCOPED_TRACE(loss.name);
    auto image = Killed();
    loss.inflict(*image);
    if (std::string(loss.name) == "cut short") Cut(*image, 100);
    ASSERT_TRUE(image->RemoveFile("store/identity"));
    const auto report = Repair(*image);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
    for (const char* word : {"superblock", "identity", "backup"}) {
      EXPECT_NE(report.error().message.find(word), std::string::npos) << report.error().message;
    }
    EXPECT_FALSE(image->Exists("repaired").value());
  }
}

TEST_F(LostSuperblock, OpeningNamesTheRemedy) {
  Fill();
  Close();
  for (const Loss& loss : Losses()) {
    for (const bool read_only : {false, true}) {
      auto image = Killed();
      loss.inflict(*image);
      OpenOptions options;
      options.read_only = read_only;
      const auto opened = Store::Open(*image, "store", options);
      ASSERT_FALSE(opened) << loss.name;
      EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << loss.name;
      EXPECT_NE(opened.error().message.find("kvfs repair store NEW"), std::string::npos)
          << opened.error().message;
    }
  }
}

// It would overwrite what can be repaired.
TEST_F(LostSuperblock, NoStoreIsCreatedInItsPlace) {
  Fill();
  Close();
  ASSERT_TRUE(disk_.RemoveFile("store/superblock"));
  const auto created = Store::Create(disk_, "store", {});
  ASSERT_FALSE(created);
  EXPECT_NE(created.error().message.find("kvfs repair"), std::string::npos);
  ExpectWhole(disk_);
}

// About the file identity.

TEST_F(LostSuperblock, AStoreOfAnOlderProgramGetsACopyWhenItIsOpened) {
  Fill();
  Close();
  ASSERT_TRUE(disk_.RemoveFile("store/identity"));
  Open();
  Put("later", "value");
  auto image = Killed();
  Losses().front().inflict(*image);
  ExpectWhole(*image);
}

TEST_F(LostSuperblock, AWrongCopyIsToldAndMadeAnew) {
  Fill();
  Close();
  ASSERT_TRUE(Store::Create(disk_, "other", {}));
  auto from = disk_.OpenFile("other/identity").value();
  std::vector<std::byte> other(from->SizeBytes().value());
  ASSERT_TRUE(from->Read(0, other));
  for (const auto& wrong : {other, std::vector<std::byte>(other.size())}) {
    ASSERT_TRUE(disk_.OpenFile("store/identity").value()->Write(0, wrong));
    OpenOptions read_only;
    read_only.read_only = true;
    store_ = Store::Open(disk_, "store", read_only).value();
    std::string found;
    CheckOptions options;
    options.on_finding = [&](const CheckFinding& finding) { found += finding.message; };
    ASSERT_TRUE(store_->Check(options));
    EXPECT_NE(found.find("identity"), std::string::npos);
    store_.reset();
    Open();
    ExpectSound(*store_);
    Close();
    auto image = Killed();
    Losses().front().inflict(*image);
    ExpectWhole(*image);
  }
}

TEST_F(LostSuperblock, ADamagedCopyCostsASoundStoreNothing) {
  Fill();
  auto image = Killed();
  Cover(*image, "store/identity", std::byte{0x33});
  ExpectWhole(*image);
}

TEST_F(LostSuperblock, WithoutAnyCheckpointTheNewestLeavesAreTaken) {
  Fill();
  Close();
  Losses().front().inflict(disk_);
  ASSERT_TRUE(disk_.OpenFile("store/identity")
                  .value()
                  ->Write(kCopyOfCheckpoint, std::vector<std::byte>(64)));
  const Model held = Repaired(disk_);
  EXPECT_NE(told_.find("some that were erased or replaced may be among them"), std::string::npos);
  for (const auto& [key, entry] : expected_) {
    ASSERT_TRUE(held.contains(key)) << key.second;
    EXPECT_TRUE(held.at(key) == entry) << key.second;
  }
}

}  // namespace
}  // namespace kvfs
