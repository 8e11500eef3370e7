// A check finds all damage that a read could encounter, and all inconsistencies between trees,
// contents and allocation maps; in a sound store it finds nothing, whatever operations are under
// way.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "store/format/checksum.h"
#include "store/format/entry.h"
#include "store/format/superblock.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

using Kind = CheckFinding::Kind;

constexpr uint64_t kPage = 4096;

std::string Text(size_t size, char fill) { return std::string(size, fill); }

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(2, kPage)));
    Open();
  }

  void Open(bool read_only = false) {
    store_.reset();
    OpenOptions options;
    options.read_only = read_only;
    auto opened = Store::Open(disk_, "store", std::move(options));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }
  void Close() {
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }
  void Put(const std::string& name, const std::string& content) {
    ASSERT_TRUE(store_->Put(name, content));
  }
  // Entries of every shape, a branch above the leaves, orphaned contents.
  void Fill() {
    for (int i = 0; i < 300; ++i) Put("small " + std::to_string(i), Text(100, 's'));
    for (int i = 0; i < 5; ++i) Put("direct " + std::to_string(i), Text(9000, 'd'));
    for (int i = 0; i < 3; ++i) Put("large " + std::to_string(i), Text(200'000, 'l'));
    ASSERT_TRUE(store_->Erase("large 0"));
  }

  CheckReport Check() {
    findings_.clear();
    CheckOptions options;
    options.on_finding = [this](const CheckFinding& finding) { findings_.push_back(finding); };
    auto report = store_->Check(options);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(CheckReport{});
  }
  std::string Findings() const {
    std::string text;
    for (const CheckFinding& finding : findings_) text += finding.message + "\n";
    return text;
  }
  // Expects one finding of that kind with all of these words.
  void ExpectFinding(Kind kind, const std::vector<std::string>& words) {
    Open(/*read_only=*/true);
    Check();
    const bool found = std::ranges::any_of(findings_, [&](const CheckFinding& finding) {
      return finding.kind == kind && std::ranges::all_of(words, [&](const std::string& word) {
               return finding.message.find(word) != std::string::npos;
             });
    });
    EXPECT_TRUE(found) << words.front() << " is not among\n" << Findings();
  }

  // --- direct changes of files ---

  std::unique_ptr<File> FileOf(const std::string& name) {
    return disk_.OpenFile("store/" + name).value();
  }
  void Flip(const std::string& name, uint64_t offset) {
    auto file = FileOf(name);
    std::byte byte[1];
    ASSERT_TRUE(file->Read(offset, byte));
    byte[0] ^= std::byte{0x10};
    ASSERT_TRUE(file->Write(offset, byte));
  }
  format::Identity Identity() {
    std::vector<std::byte> bytes(format::kIdentityBytes);
    EXPECT_TRUE(FileOf("superblock")->Read(0, bytes));
    return format::Identity::Decode(bytes).value();
  }
  // Changes the checkpoint in both slots.
  template <typename Edit>
  void EditCheckpoint(Edit edit) {
    auto file = FileOf("superblock");
    std::vector<std::byte> bytes(format::kSlotOffset[1] - format::kSlotOffset[0]);
    ASSERT_TRUE(file->Read(format::kSlotOffset[0], bytes));
    auto checkpoint = format::Checkpoint::Decode(bytes, Identity().store, 2).value();
    edit(checkpoint);
    for (const uint64_t slot : format::kSlotOffset) {
      ASSERT_TRUE(file->Write(slot, checkpoint.Encode(Identity().store)));
    }
  }
  // Changes shard 0's only bitmap of a map, and recomputes all checksums.
  template <typename Edit>
  void EditBitmap(format::MapRoot format::ShardRoot::*map, Edit edit) {
    EditCheckpoint([&](format::Checkpoint& checkpoint) {
      format::MapRoot& root = checkpoint.shards[0].*map;
      ASSERT_EQ(root.levels, 1);
      auto values = FileOf("shard-00.values");
      std::vector<std::byte> bitmap(format::kBlockBytes);
      ASSERT_TRUE(values->Read(root.root.number * format::kBlockBytes, bitmap));
      edit(bitmap);
      ASSERT_TRUE(values->Write(root.root.number * format::kBlockBytes, bitmap));
      root.root.checksum = format::Checksum(bitmap, Identity().ShardSeed(0));
    });
  }
  format::ShardRoot RootOfShard0() {
    format::ShardRoot root;
    EditCheckpoint([&](format::Checkpoint& checkpoint) { root = checkpoint.shards[0]; });
    return root;
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  std::vector<CheckFinding> findings_;
};

TEST_F(CheckTest, FindsNothingInASoundStore) {
  ExpectSound(*store_);
  Fill();
  ExpectSound(*store_);  // all in memory
  ASSERT_TRUE(store_->Checkpoint());
  ExpectSound(*store_);
  Fill();
  auto snapshot = store_->TakeSnapshot();
  ASSERT_TRUE(store_->Checkpoint());
  ExpectSound(*store_);
  snapshot->reset();
  Open();  // not closed before
  ExpectSound(*store_);
  Close();
  Open(/*read_only=*/true);
  ExpectSound(*store_);
}

// The blocks are in memory, beyond the end of the file.
TEST_F(CheckTest, FindsNothingInALogThatIsReplayedForReadingOnly) {
  Fill();
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  OpenOptions options;
  options.read_only = true;
  const auto store = Store::Open(*image, "store", options);
  ASSERT_TRUE(store) << store.error().message;
  ExpectSound(**store);
}

// Checks the trees, and the result of replaying the log, whose existence is reported.
TEST_F(CheckTest, CountsWhatTheLogHas) {
  Put("kept", "1");
  Put("replaced", "1");
  Put("erased", "1");
  ASSERT_TRUE(store_->Checkpoint());
  Put("replaced", "2");
  ASSERT_TRUE(store_->Erase("erased"));
  for (int i = 0; i < 10; ++i) Put("new " + std::to_string(i), Text(300, 1));
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  OpenOptions options;
  options.read_only = true;
  const uint64_t before = image->OperationCount();
  const auto store = Store::Open(*image, "store", options);
  ASSERT_TRUE(store) << store.error().message;
  const CheckReport report = (*store)->Check({}).value();
  EXPECT_TRUE(report.IsSound());
  EXPECT_EQ(report.notes, 0u);
  EXPECT_EQ(report.entries, 12u);
  EXPECT_EQ(report.checkpoint_entries, 3u);
  EXPECT_EQ(report.log_records, 12u);
  EXPECT_EQ(report.log_entries, 11u);
  EXPECT_EQ(image->OperationCount(), before) << "a check writes nothing";
  EXPECT_EQ(Check().entries, 12u) << "of a store that is open for writing";
}

// The files after a process died between the writes of the two slots, during a checkpoint, a close
// and an opening.
TEST_F(CheckTest, AnOlderSecondSlotIsNoDamage) {
  Fill();
  const auto is_superblock_write = [](const OperationRecord& record) {
    return record.kind == OperationKind::kWrite && record.path == "store/superblock";
  };
  for (int which = 0; which < 3; ++which) {
    auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
    auto run = [&](Env& env) {
      auto store = Store::Open(env, "store");
      if (!store || which == 0) return;
      if (!(*store)->Put("more", "value") || which == 1) return;
      static_cast<void>((*store)->Checkpoint());
    };
    auto probe = image->CrashImage({CrashChoice::Kind::kAll, 0});
    run(*probe);
    const auto journal = probe->Journal();
    size_t writes = 0;
    for (size_t at = 0; at < journal.size(); ++at) {
      if (!is_superblock_write(journal[at])) continue;
      auto killed = image->CrashImage({CrashChoice::Kind::kAll, 0});
      killed->FailPowerAt(at + 1);
      run(*killed);
      auto left = killed->CrashImage({CrashChoice::Kind::kAll, 0});
      OpenOptions options;
      options.read_only = true;
      const auto store = Store::Open(*left, "store", options);
      ASSERT_TRUE(store) << store.error().message;
      EXPECT_TRUE((*store)->Check({})->IsSound()) << "write " << writes << " of run " << which;
      ++writes;
    }
    EXPECT_GE(writes, 2u);
  }
}

TEST_F(CheckTest, CountsWhatItLooksAt) {
  Fill();
  ASSERT_TRUE(store_->Checkpoint());
  const CheckReport report = Check();
  EXPECT_EQ(report.entries, store_->GetStats().entries);
  EXPECT_EQ(report.pages * kPage, store_->GetStats().page_bytes_used);
  EXPECT_GE(report.blocks * format::kBlockBytes, store_->GetStats().block_bytes_used);
}

TEST_F(CheckTest, TellsItsProgressAndCanBeEnded) {
  Fill();
  ASSERT_TRUE(store_->Checkpoint());
  CheckOptions options;
  CheckProgress last;
  options.on_progress = [&](const CheckProgress& progress) {
    EXPECT_GT(progress.bytes_checked, last.bytes_checked);
    EXPECT_LE(progress.bytes_checked, progress.bytes_total);
    last = progress;
    return true;
  };
  ASSERT_TRUE(store_->Check(options));
  EXPECT_EQ(last.bytes_checked, last.bytes_total);
  int calls = 0;
  options.on_progress = [&](const CheckProgress&) { return ++calls < 5; };
  const auto report = store_->Check(options);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(calls, 5);
}

// The store changes during the check: a callback changes it half way.
TEST_F(CheckTest, IsNotDisturbedByChanges) {
  Fill();
  ASSERT_TRUE(store_->Checkpoint());
  CheckOptions options;
  options.on_finding = [](const CheckFinding& finding) { ADD_FAILURE() << finding.message; };
  int calls = 0;
  options.on_progress = [&](const CheckProgress&) {
    const std::string name = "direct " + std::to_string(++calls % 5);
    EXPECT_TRUE(store_->Put(name, Text(9000 + 100 * static_cast<size_t>(calls), 'x')));
    if (calls % 10 == 0) {
      EXPECT_TRUE(store_->Checkpoint());
    }
    return true;
  };
  ASSERT_TRUE(store_->Check(options));
  EXPECT_GT(calls, 50);
  ExpectSound(*store_);
}

// Damage.

TEST_F(CheckTest, NamesTheEntryOfADamagedBlock) {
  Fill();
  Close();
  auto values = FileOf("shard-00.values");
  const uint64_t blocks = values->SizeBytes().value() / format::kBlockBytes;
  std::set<std::string> named;
  for (uint64_t block = 1; block < blocks; ++block) {
    std::array<std::byte, 1> first;
    ASSERT_TRUE(values->Read(block * format::kBlockBytes, first));
    const bool is_content = first[0] == std::byte{'d'} || first[0] == std::byte{'l'};
    if (!is_content) continue;
    Flip("shard-00.values", block * format::kBlockBytes + 7);
    Open(/*read_only=*/true);
    if (Check().damages == 1) {
      const std::string message = findings_.front().message;
      EXPECT_NE(message.find("block " + std::to_string(block) + " "), std::string::npos) << message;
      EXPECT_NE(message.find("bytes "), std::string::npos) << message;
      named.insert(message.substr(0, message.find(',')));
    } else {
      EXPECT_EQ(findings_.size(), 0u) << "a block that was freed\n" << Findings();
    }
    store_.reset();
    Flip("shard-00.values", block * format::kBlockBytes + 7);
  }
  EXPECT_GE(named.size(), 2u) << "entries with blocks in this shard";
}

// Chunks of contents are reported with their entries, which may be in any shard.
TEST_F(CheckTest, NamesTheEntryOfALargeContentInAnyShard) {
  constexpr int kEntries = 8;
  const auto letter = [](int entry) { return static_cast<char>('A' + entry); };
  for (int i = 0; i < kEntries; ++i) Put("large " + std::to_string(i), Text(200'000, letter(i)));
  Close();
  std::set<std::string> files;
  for (int i = 0; i < kEntries; ++i) {
    for (const std::string name : {"shard-00.values", "shard-01.values"}) {
      auto values = FileOf(name);
      const uint64_t blocks = values->SizeBytes().value() / format::kBlockBytes;
      std::array<char, 1> first{};
      uint64_t block = 1;
      while (block < blocks && first[0] != letter(i)) {
        ASSERT_TRUE(
            values->Read(block++ * format::kBlockBytes, std::as_writable_bytes(std::span(first))));
      }
      if (first[0] != letter(i)) continue;
      const uint64_t offset = (block - 1) * format::kBlockBytes + 7;
      Flip(name, offset);
      ExpectFinding(Kind::kDamage, {"\"large " + std::to_string(i) + "\"", "bytes "});
      store_.reset();
      Flip(name, offset);
      files.insert(name);
    }
  }
  EXPECT_EQ(files.size(), 2u) << "entries in each shard";
}

TEST_F(CheckTest, NamesTheRangeOfADamagedLeaf) {
  Fill();
  Close();
  const format::ShardRoot root = RootOfShard0();
  ASSERT_EQ(root.height, 2);
  for (uint64_t page = 1; page <= root.leaves; ++page) {
    Flip("shard-00.keys", page * kPage + 100);
    ExpectFinding(Kind::kDamage, {"page " + std::to_string(page) + " ", "lost", "position"});
    store_.reset();
    Flip("shard-00.keys", page * kPage + 100);
  }
  Open();
  ExpectSound(*store_);
}

TEST_F(CheckTest, FindsADamagedSuperblockCopy) {
  Fill();
  Close();
  Flip("superblock", format::kIdentityOffset[1] + 50);
  ExpectFinding(Kind::kDamage, {"identity"});
  Flip("superblock", format::kSlotOffset[0] + 50);
  ExpectFinding(Kind::kDamage, {"checkpoints differ"});
  Open();  // heals both
  ExpectSound(*store_);
}

// Correct checksums over wrong data.

TEST_F(CheckTest, FindsWrongCounts) {
  Fill();
  Close();
  const struct {
    uint64_t format::ShardRoot::*count;
    const char* word;
  } cases[] = {{&format::ShardRoot::entries, "entries"},
               {&format::ShardRoot::leaves, "leaves"},
               {&format::ShardRoot::branches, "branches"},
               {&format::ShardRoot::pages_used, "pages"},
               {&format::ShardRoot::blocks_used, "blocks"},
               {&format::ShardRoot::orphaned_contents, "to be freed"}};
  for (const auto& wrong : cases) {
    EditCheckpoint([&](format::Checkpoint& it) { ++(it.shards[0].*wrong.count); });
    ExpectFinding(Kind::kLostSpace, {wrong.word, "checkpoint says"});
    store_.reset();
    EditCheckpoint([&](format::Checkpoint& it) { --(it.shards[0].*wrong.count); });
  }
}

TEST_F(CheckTest, FindsSpaceThatIsLost) {
  Fill();
  Close();
  // A number above all used ones, which the file must contain.
  for (auto map : {&format::ShardRoot::page_map, &format::ShardRoot::block_map}) {
    auto mark = [](std::vector<std::byte>& bitmap) {
      for (size_t number = 1; number < 64; ++number) {
        const std::byte bit{static_cast<uint8_t>(1u << number % 8)};
        if ((bitmap[number / 8] & bit) != std::byte{0}) continue;
        bitmap[number / 8] |= bit;
        return;
      }
      FAIL() << "no number below 64 is free";
    };
    ASSERT_TRUE(FileOf("shard-00.keys")->Allocate(63 * kPage, kPage));
    EditBitmap(map, mark);
    ExpectFinding(Kind::kLostSpace, {"nothing refers"});
    store_.reset();
  }
}

TEST_F(CheckTest, FindsSpaceThatIsInUseAndCalledFree) {
  Fill();
  Close();
  for (auto map : {&format::ShardRoot::page_map, &format::ShardRoot::block_map}) {
    std::vector<std::byte> before;
    EditBitmap(map, [&](std::vector<std::byte>& bitmap) {
      before = bitmap;
      const auto used = std::ranges::find_if(bitmap, [](std::byte b) { return b != std::byte{0}; });
      ASSERT_NE(used, bitmap.end());
      *used = std::byte{0};
    });
    ExpectFinding(Kind::kDamage, {"free that are in use"});
    store_.reset();
    EditBitmap(map, [&](std::vector<std::byte>& bitmap) { bitmap = before; });
  }
  Open();
  ExpectSound(*store_);
}

// A single leaked number among many is found, and named.
TEST_F(CheckTest, FindsOneBlockThatIsInUseAndCalledFree) {
  Fill();
  Close();
  size_t number = 0;
  EditBitmap(&format::ShardRoot::block_map, [&](std::vector<std::byte>& bitmap) {
    const auto used = std::ranges::find_if(bitmap, [](std::byte b) { return b != std::byte{0}; });
    ASSERT_NE(used, bitmap.end());
    const auto bits = std::to_integer<unsigned>(*used);
    *used = static_cast<std::byte>(bits & (bits - 1));  // without the lowest bit
    number = static_cast<size_t>(used - bitmap.begin()) * 8 +
             static_cast<size_t>(std::countr_zero(bits));
  });
  ExpectFinding(Kind::kDamage, {"calls 1 free that are in use, the first of them " +
                                std::to_string(number) + ":"});
}

TEST_F(CheckTest, TellsWhichBytesOfAContentADamagedBlockHolds) {
  Put("direct", Text(2 * format::kBlockBytes, 'd'));
  Close();
  for (const char* file : {"shard-00.values", "shard-01.values"}) {
    auto values = FileOf(file);
    const uint64_t blocks = values->SizeBytes().value() / format::kBlockBytes;
    for (uint64_t block = 1; block < blocks; ++block) {
      std::array<std::byte, 1> first;
      ASSERT_TRUE(values->Read(block * format::kBlockBytes, first));
      if (first[0] == std::byte{'d'}) Flip(file, block * format::kBlockBytes + 7);
    }
  }
  ExpectFinding(Kind::kDamage, {"bytes 0 to 4095"});
  ExpectFinding(Kind::kDamage, {"bytes 4096 to 8191"});
}

TEST_F(CheckTest, FindsABitmapForMoreThanTheFile) {
  Fill();
  Close();
  EditBitmap(&format::ShardRoot::page_map,
             [](std::vector<std::byte>& bitmap) { bitmap.back() = std::byte{0xff}; });
  ExpectFinding(Kind::kDamage, {"beyond the file's end"});
}

TEST_F(CheckTest, FindsADamagedMap) {
  Fill();
  Close();
  Flip("shard-00.values", RootOfShard0().block_map.root.number * format::kBlockBytes);
  ExpectFinding(Kind::kDamage, {"of an allocation map", "checksum"});
}

// One block in two maps' trees, as after a misdirected write.
TEST_F(CheckTest, FindsABlockWithTwoOwners) {
  Fill();
  Close();
  EditCheckpoint([](format::Checkpoint& it) { it.shards[0].page_map = it.shards[0].block_map; });
  ExpectFinding(Kind::kDamage, {"second owner"});
}

// The log.

TEST_F(CheckTest, FindsDamageInTheMiddleOfTheLog) {
  Put("first", "1");
  Put("second", "find me in the log");
  ASSERT_TRUE(store_->Sync());
  Put("third", "3");  // its record proves that the second was durable
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  bool found = false;
  const auto names = image->ListDirectory("store/log").value();
  for (const std::string& name : names) {
    auto file = image->OpenFile("store/log/" + name).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    const size_t at = bytes.find("find me");
    if (at == std::string::npos) continue;
    ASSERT_TRUE(file->Write(at, AsBytes("lost me")));
    found = true;
  }
  ASSERT_TRUE(found);
  const auto opened = Store::Open(*image, "store");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().message.find("the log is damaged"), std::string::npos);
  OpenOptions options;
  options.read_only = true;
  auto read = Store::Open(*image, "store", options);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)->Get("first").value(), "1");
  EXPECT_EQ((*read)->Get("second").error().code, ErrorCode::kCorrupt) << "not known to be absent";
  store_ = *std::move(read);
  EXPECT_EQ(Check().damages, 1u);
  EXPECT_NE(Findings().find("log"), std::string::npos);
  store_.reset();  // must be destroyed before its disk
}

// A block that a durable record refers to is damaged: the record is valid, and so are the following
// ones.
TEST_F(CheckTest, ADamagedBlockDoesNotEndTheLog) {
  Put("large", Text(200'000, 'l'));
  ASSERT_TRUE(store_->Sync());
  Put("other", "value");
  auto image = disk_.CrashImage({CrashChoice::Kind::kAll, 0});
  int damaged = 0;
  for (const char* name : {"store/shard-00.values", "store/shard-01.values"}) {
    auto file = image->OpenFile(name).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    const size_t at = bytes.find("llll");
    if (at == std::string::npos) continue;
    ASSERT_TRUE(file->Write(at, AsBytes("x")));
    ++damaged;
  }
  ASSERT_EQ(damaged, 1);
  auto opened = Store::Open(*image, "store");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->Get("other").value(), "value");
  EXPECT_EQ((*opened)->Get("large").error().code, ErrorCode::kCorrupt);
  store_ = *std::move(opened);
  EXPECT_EQ(Check().damages, 1u) << Findings();
  store_.reset();  // must be destroyed before its disk
}

}  // namespace
}  // namespace kvfs
