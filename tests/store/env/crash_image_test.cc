// Which disks a power failure may leave, and that all of them are generated.

#include "store/env/crash_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/env/memory_env.h"

namespace kvfs {
namespace {

using Kind = CrashChoice::Kind;

constexpr uint64_t kSeeds = 400;

class CrashImage : public testing::Test {
 protected:
  CrashImage() { CreateSynced("file"); }

  void CreateSynced(const std::string& name) {
    file_ = env_.CreateFile(name).value();
    EXPECT_TRUE(env_.SyncDirectory("").has_value());
  }

  void Write(uint64_t offset, const std::string& text) {
    ASSERT_TRUE(file_->Write(offset, AsBytes(text)).has_value());
  }
  void Sync() { ASSERT_TRUE(file_->Sync().has_value()); }
  void SyncNames() { ASSERT_TRUE(env_.SyncDirectory("").has_value()); }

  // The whole file on the image, or "absent".
  static std::string Contents(Env& env, const std::string& name = "file") {
    const auto file = env.OpenFile(name);
    if (!file) return "absent";
    std::string text((*file)->SizeBytes().value(), '?');
    EXPECT_TRUE((*file)->Read(0, std::as_writable_bytes(std::span(text))).has_value());
    return text;
  }

  std::string After(Kind kind, uint64_t value = 0, const std::string& name = "file") const {
    return Contents(*env_.CrashImage({kind, value}), name);
  }

  // The images generated over many seeds.
  std::set<std::string> AllAfter(Kind kind, const std::string& name = "file") const {
    std::set<std::string> outcomes;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) outcomes.insert(After(kind, seed, name));
    return outcomes;
  }

  static std::string NamesOf(Env& env) {
    auto names = env.ListDirectory("").value();
    std::ranges::sort(names);
    std::string all;
    for (const auto& name : names) all += name + " ";
    return all;
  }

  std::set<std::string> AllNamesAfter(Kind kind) const {
    std::set<std::string> outcomes;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      outcomes.insert(NamesOf(*env_.CrashImage({kind, seed})));
    }
    return outcomes;
  }

  MemoryEnv env_;
  std::unique_ptr<File> file_;
};

using Strings = std::set<std::string>;

TEST_F(CrashImage, WhatIsSyncedIsOnEveryDisk) {
  Write(0, "synced");
  Sync();
  for (const Kind kind : {Kind::kAll, Kind::kNone, Kind::kPrefix, Kind::kRandom, Kind::kTorn}) {
    EXPECT_EQ(AllAfter(kind), Strings{"synced"});
  }
}

TEST_F(CrashImage, WhatIsNotSyncedMayBeLostOrKept) {
  Write(0, "old");
  Sync();
  Write(0, "new");
  EXPECT_EQ(After(Kind::kAll), "new");
  EXPECT_EQ(After(Kind::kNone), "old");
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"old", "new"}));
}

TEST_F(CrashImage, APrefixHoldsTheFirstOperationsOnly) {
  Write(0, "aaa");
  Write(1, "b");
  Write(2, "c");
  EXPECT_EQ(env_.UnsyncedCount(), 3U);
  EXPECT_EQ(After(Kind::kPrefix, 0), "");
  EXPECT_EQ(After(Kind::kPrefix, 1), "aaa");
  EXPECT_EQ(After(Kind::kPrefix, 2), "aba");
  EXPECT_EQ(After(Kind::kPrefix, 3), "abc");
}

TEST_F(CrashImage, ARandomSubsetMayKeepTheLaterWriteAndLoseTheEarlier) {
  Write(0, "....");
  Sync();
  Write(0, "a");
  Write(2, "b");
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"....", "a...", "..b.", "a.b."}));
}

TEST_F(CrashImage, AnOlderWriteNeverReplacesANewerOne) {
  Write(0, "...");
  Sync();
  Write(0, "old");
  Write(0, "new");
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"...", "old", "new"}));
}

TEST_F(CrashImage, TheSizeMayGrowWithoutTheData) {
  Write(0, "a");
  Sync();
  Write(1, "b");
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"a", "ab", std::string("a\0", 2)}));
}

TEST_F(CrashImage, AWriteIsTornAtSectorsOnly) {
  Write(0, std::string(1536, '.'));
  Sync();
  Write(256, std::string(1024, 'x'));  // half a sector, a sector, half a sector
  Strings outcomes;
  for (const auto& text : AllAfter(Kind::kTorn)) {
    EXPECT_EQ(text.size(), 1536U);
    EXPECT_EQ(text.substr(256, 256), std::string(256, text[256]));
    EXPECT_EQ(text.substr(512, 512), std::string(512, text[512]));
    EXPECT_EQ(text.substr(1024, 256), std::string(256, text[1024]));
    EXPECT_EQ(text.substr(0, 256) + text.substr(1280), std::string(512, '.'));
    outcomes.insert({text[256], text[512], text[1024]});
  }
  EXPECT_EQ(outcomes.size(), 8U) << "every subset of three sectors comes up";
}

TEST_F(CrashImage, APunchedRangeIsOldOrZeros) {
  Write(0, std::string(4096, 'x'));
  Sync();
  ASSERT_TRUE(file_->PunchHole(0, 4096).has_value());
  const std::string old(4096, 'x');
  const std::string zeros(4096, '\0');
  EXPECT_EQ(After(Kind::kAll), zeros);
  EXPECT_EQ(After(Kind::kNone), old);
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{old, zeros}));
}

TEST_F(CrashImage, AnUnsyncedAllocationMayBeLost) {
  ASSERT_TRUE(file_->Allocate(0, 4096).has_value());
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"", std::string(4096, '\0')}));
  Sync();
  EXPECT_EQ(After(Kind::kNone), std::string(4096, '\0'));
}

TEST_F(CrashImage, ASyncReachesItsOwnFileOnly) {
  const auto first = std::move(file_);
  CreateSynced("other");
  ASSERT_TRUE(first->Write(0, AsBytes("first")).has_value());
  Write(0, "other");
  Sync();
  EXPECT_EQ(After(Kind::kNone, 0, "file"), "");
  EXPECT_EQ(After(Kind::kNone, 0, "other"), "other");
}

TEST_F(CrashImage, ACreationIsLostOrKeptUntilItsDirectoryIsSynced) {
  const auto created = env_.CreateFile("new").value();
  ASSERT_TRUE(created->Write(0, AsBytes("data")).has_value());
  ASSERT_TRUE(created->Sync().has_value());
  EXPECT_EQ(AllAfter(Kind::kRandom, "new"), (Strings{"absent", "data"}));
  SyncNames();
  EXPECT_EQ(After(Kind::kNone, 0, "new"), "data");
}

TEST_F(CrashImage, ARemovalIsLostOrKeptUntilItsDirectoryIsSynced) {
  ASSERT_TRUE(env_.RemoveFile("file").has_value());
  EXPECT_EQ(AllNamesAfter(Kind::kRandom), (Strings{"", "file "}));
  SyncNames();
  EXPECT_EQ(NamesOf(*env_.CrashImage({Kind::kNone, 0})), "");
}

TEST_F(CrashImage, AReplacingRenameHappensWholeOrNotAtAll) {
  Write(0, "old");
  Sync();
  CreateSynced("new");
  Write(0, "new");
  Sync();
  ASSERT_TRUE(env_.RenameFile("new", "file").has_value());
  EXPECT_EQ(AllAfter(Kind::kRandom), (Strings{"old", "new"}));
  EXPECT_EQ(AllNamesAfter(Kind::kRandom), (Strings{"file ", "file new "}));
}

TEST_F(CrashImage, OperationsOnOneNameKeepTheirOrder) {
  Write(0, "data");
  Sync();
  ASSERT_TRUE(env_.RenameFile("file", "moved").has_value());
  file_ = env_.CreateFile("file").value();
  Strings outcomes;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    outcomes.insert(After(Kind::kRandom, seed) + ", " + After(Kind::kRandom, seed, "moved"));
  }
  EXPECT_EQ(outcomes, (Strings{"data, absent", "absent, data", ", data"}));
}

TEST_F(CrashImage, WhatLiesInALostDirectoryIsLost) {
  ASSERT_TRUE(env_.CreateDirectory("dir").has_value());
  ASSERT_TRUE(env_.CreateFile("dir/file").has_value());
  ASSERT_TRUE(env_.SyncDirectory("dir").has_value());
  EXPECT_EQ(After(Kind::kNone, 0, "dir/file"), "absent");
  SyncNames();
  EXPECT_EQ(After(Kind::kNone, 0, "dir/file"), "");
}

TEST_F(CrashImage, AnImageIsADiskOfItsOwn) {
  Write(0, std::string(100000, 'x'));
  Sync();
  const auto image = env_.CrashImage({Kind::kNone, 0});
  const auto file = image->OpenFile("file").value();
  const std::byte* view = file->View(0, 1).value();
  ASSERT_TRUE(file->Write(0, AsBytes("image")).has_value());
  Write(0, "origin");
  EXPECT_EQ(AsText({view, 5}), "image");
  EXPECT_EQ(Contents(*image).substr(0, 7), "imagexx");
  EXPECT_EQ(Contents(env_).substr(0, 7), "originx");
  EXPECT_EQ(After(Kind::kNone).substr(0, 7), std::string(7, 'x'));
}

TEST_F(CrashImage, AnImageCanLosePowerAgain) {
  Write(0, "one");
  const auto image = env_.CrashImage({Kind::kAll, 0});
  ASSERT_TRUE(image->OpenFile("file").value()->Write(0, AsBytes("two")).has_value());
  EXPECT_EQ(Contents(*image->CrashImage({Kind::kNone, 0})), "one");
  EXPECT_EQ(Contents(*image->CrashImage({Kind::kAll, 0})), "two");
}

TEST_F(CrashImage, NobodyHoldsALockOnAnImage) {
  const auto lock = env_.LockFile("lock", "holder").value();
  const auto image = env_.CrashImage({Kind::kAll, 0});
  EXPECT_NE(Contents(*image, "lock"), "") << "a death leaves its mark";
  EXPECT_TRUE(image->LockFile("lock", "next").has_value());
}

TEST_F(CrashImage, TheSameSeedGivesTheSameDisk) {
  Write(0, std::string(100 * 512, '.'));
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(After(Kind::kTorn, seed), After(Kind::kTorn, seed));
  }
  EXPECT_GT(AllAfter(Kind::kTorn).size(), 10U);
}

TEST(CrashChoice, ItsTextFormComesBack) {
  for (const CrashChoice choice :
       {CrashChoice{Kind::kAll, 0}, CrashChoice{Kind::kPrefix, 12}, CrashChoice{Kind::kTorn, 99}}) {
    const auto parsed = CrashChoice::FromText(choice.ToText());
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->kind, choice.kind);
    EXPECT_EQ(parsed->value, choice.value);
  }
  for (const char* text : {"", "all", "some:1", "torn:", "torn:x", "torn:1x"}) {
    EXPECT_FALSE(CrashChoice::FromText(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace kvfs
