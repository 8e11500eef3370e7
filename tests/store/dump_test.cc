// The output of DumpFile for each file of a store, compared with the store and the format; damage
// is reported and skipped, and the dump ends when the visitor returns false.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include <kvfs/dump.h>
#include <kvfs/store.h>
#include "store/format/checksum.h"
#include "store/format/superblock.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

constexpr uint32_t kPage = 4096, kBlock = 4096;

std::string Hex(uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

class DumpTest : public testing::Test {
 protected:
  DumpTest() {
    CreateOptions options = SmallStore(2, kPage);
    options.hash_seed = 0xabc;
    EXPECT_TRUE(Store::Create(disk_, path_, options));
    store_ = Store::Open(disk_, path_).value();
  }

  void Apply(const std::function<void(Batch&)>& fill) {
    Batch batch;
    fill(batch);
    const auto done = store_->Apply(batch);
    ASSERT_TRUE(done) << done.error().message;
  }
  void Close() {
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }
  std::vector<std::string> Dump(const std::string& name) {
    std::vector<std::string> lines;
    const auto done = DumpFile(disk_, path_ + "/" + name, [&](std::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    EXPECT_TRUE(done) << name << ": " << done.error().message;
    return lines;
  }
  std::vector<std::string> LogNames() { return disk_.ListDirectory(path_ + "/log").value(); }
  std::vector<std::string> DumpLog() {
    std::vector<std::string> lines;
    for (const std::string& name : LogNames()) {
      for (std::string& line : Dump("log/" + name)) lines.push_back(std::move(line));
    }
    return lines;
  }
  std::vector<std::string> DumpShards(const std::string& what) {
    std::vector<std::string> lines = Dump("shard-00." + what);
    for (std::string& line : Dump("shard-01." + what)) lines.push_back(std::move(line));
    return lines;
  }
  static void ExpectLine(const std::vector<std::string>& lines, const std::string& line) {
    std::string all;
    for (const std::string& it : lines) all += it + "\n";
    EXPECT_TRUE(std::ranges::find(lines, line) != lines.end()) << line << "\nis not among\n" << all;
  }
  // The lines with this prefix, without the prefix.
  static std::vector<std::string> After(const std::vector<std::string>& lines,
                                        const std::string& beginning) {
    std::vector<std::string> rests;
    for (const std::string& line : lines) {
      if (line.starts_with(beginning)) rests.push_back(line.substr(beginning.size()));
    }
    return rests;
  }
  uint64_t IdOf(std::string_view name) { return store_->Stat({kRootDirectory, name}).value().id; }
  std::unique_ptr<File> FileOf(const std::string& name) {
    return disk_.OpenFile(path_ + "/" + name).value();
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
  ErrorCode Refusal(const std::string& path) {
    const auto done = DumpFile(disk_, path, [](std::string_view) { return true; });
    EXPECT_FALSE(done) << path;
    return done ? ErrorCode::kInvalid : done.error().code;
  }

  Env& disk_ = GetPosixEnv();
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/store";
  std::unique_ptr<Store> store_;
};

// What exceeds the frees of one checkpoint is left to the next.
TEST_F(DumpTest, AContentThatWaitsToBeFreedIsNamed) {
  store_.reset();
  OpenOptions options;
  options.dirty_limit_bytes = 64 << 10;
  options.idle_ms = 0;
  store_ = Store::Open(disk_, path_, options).value();
  ASSERT_TRUE(store_->Put("large", ""));
  const std::string block(kBlock, 'l');
  constexpr uint64_t kChunkBytes = 32 * kBlock;
  for (uint64_t chunk = 0; chunk < 2'000; ++chunk) {
    Apply([&](Batch& batch) {
      batch.Write({kRootDirectory, "large"}, chunk * kChunkBytes, AsBytes(block));
    });
  }
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_TRUE(store_->Erase("large"));
  ASSERT_TRUE(store_->Checkpoint());
  ExpectLine(DumpShards("keys"), "    a content to be freed");
}

TEST_F(DumpTest, TheSuperblockIsToldTwice) {
  ASSERT_TRUE(store_->Put("foo", "bar"));
  ASSERT_TRUE(store_->Checkpoint());
  const std::string epoch = std::to_string(store_->GetStats().epoch);
  Close();
  const auto lines = Dump("superblock");
  EXPECT_EQ(lines[0], "superblock, " + std::to_string(format::kSuperblockBytes) + " bytes");
  EXPECT_EQ(lines[1], "identity at 0:");
  ExpectLine(lines, "identity at " + std::to_string(format::kIdentityOffset[1]) + ":");
  for (const uint64_t slot : format::kSlotOffset) {
    ExpectLine(lines, "checkpoint at " + std::to_string(slot) + ":");
  }
  for (const char* line : {"  shards 2", "  page bytes 4096", "  hash bits 63, seed 0xabc",
                           "  log limit 4194304 bytes, segment 1048576 bytes"}) {
    EXPECT_EQ(std::ranges::count(lines, line), 2) << line;
  }
  std::string id;
  for (const std::byte byte : Identity().store) {
    id += Hex(0x100 + static_cast<uint64_t>(byte)).substr(3);
  }
  ExpectLine(lines, "  store id " + id);
  EXPECT_GE(After(lines, "  epoch ").size(), 2u);
  EXPECT_EQ(After(lines, "  shard 0: root ").size(), 2u);
  EXPECT_EQ(After(lines, "    page map: ").size(), 4u);
}

TEST_F(DumpTest, ADamagedCopyOfTheSuperblockIsPassedOver) {
  Close();
  Flip("superblock", 20);
  Flip("superblock", format::kSlotOffset[0] + 20);
  const auto lines = Dump("superblock");
  EXPECT_EQ(After(lines, "identity at 0: damaged: ").size(), 1u);
  EXPECT_EQ(After(lines, "checkpoint at 4096: damaged: ").size(), 1u);
  EXPECT_EQ(std::ranges::count(lines, "  shards 2"), 1);
  EXPECT_EQ(After(lines, "  epoch ").size(), 1u);
  Flip("superblock", format::kIdentityOffset[1] + 20);
  EXPECT_EQ(After(Dump("superblock"), "checkpoint at").size(), 0u) << "of no known store";
}

TEST_F(DumpTest, EachKindOfChangeHasItsWords) {
  const std::string large(3 * kBlock + 10, 'b');
  ASSERT_TRUE(store_->Put("one", "bytes"));
  ASSERT_TRUE(store_->Put("two", std::string(60, 'v')));
  Apply([&](Batch& batch) {
    const auto edit = [](std::string& meta) { meta = "\x01\xfe"; };
    batch.Put({7, "in \"7\"\n"}, {}, "m");
    batch.Erase({7, "in \"7\"\n"});
    batch.Move({kRootDirectory, "one"}, {9, "moved"}, edit);
    batch.Exchange({9, "moved"}, {kRootDirectory, "two"}, edit);
    batch.EditMeta({9, "moved"}, edit);
    batch.Write({9, "moved"}, 3, AsBytes("data"), edit);
    batch.Resize({9, "moved"}, 50, edit);
    batch.Punch({9, "moved"}, 1, 2, edit);
    batch.Allocate({9, "moved"}, 3, 4, edit);
  });
  Apply([&](Batch& batch) { batch.Write({9, "moved"}, kBlock, AsBytes(large)); });
  const auto lines = DumpLog();
  const std::string moved = "entry \"moved\" of directory 9";
  const std::string id = std::to_string(IdOf("two"));
  ExpectLine(lines,
             "  put entry \"one\" of directory 1, id " + id + ", meta , \"bytes\" (5 bytes)");
  EXPECT_EQ(After(lines, "  put entry \"two\" of directory 1, id ").size(), 1u);
  for (const std::string& rest : After(lines, "  put entry \"two\" of directory 1, id ")) {
    EXPECT_TRUE(rest.ends_with(", \"" + std::string(48, 'v') + "\"... (60 bytes)")) << rest;
  }
  ExpectLine(lines, "  erase entry \"in \\x227\\x22\\x0a\" of directory 7");
  ExpectLine(lines, "  move entry \"one\" of directory 1 to " + moved + ", meta 01fe");
  ExpectLine(lines, "  exchange " + moved + " and entry \"two\" of directory 1, meta 01fe");
  ExpectLine(lines, "  meta of " + moved + ", meta 01fe");
  ExpectLine(lines, "  write at 3 of " + moved + ", meta 01fe, \"data\" (4 bytes)");
  ExpectLine(lines, "  resize " + moved + " to 50 bytes, meta 01fe");
  ExpectLine(lines, "  punch 2 bytes at 1 of " + moved + ", meta 01fe");
  ExpectLine(lines, "  allocate 4 bytes at 3 of " + moved + ", meta 01fe");
}

TEST_F(DumpTest, BlocksAndTakenContentsHaveTheirWordsToo) {
  const std::string large(100'000, 'b');
  ASSERT_TRUE(store_->Put("foo", "x"));
  const uint64_t id = store_->ReserveIdLike(IdOf("foo"));
  Apply([&](Batch& batch) {
    batch.PutAs({kTransientDirectory, "staged"}, id, AsBytes(large), "");
  });
  Apply([](Batch& batch) {
    batch.TakeContent({kRootDirectory, "foo"}, {kTransientDirectory, "staged"});
  });
  ASSERT_TRUE(store_->Erase("foo"));
  const auto lines = DumpLog();
  const std::string owner = std::to_string(id % 2);
  ExpectLine(lines,
             "  write 24 blocks of shard " + owner + " at 0 of entry \"staged\" of directory 2");
  ExpectLine(lines, "  content of entry \"staged\" of directory 2 to entry \"foo\" of directory 1");
}

TEST_F(DumpTest, RecordsOfTheLogFollowEachOther) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_->Put("name" + std::to_string(i), "x"));
  size_t records = 0;
  for (const std::string& name : LogNames()) {
    unsigned long long next = format::kSegmentHeaderBytes, sequence = 0, first = 0;
    for (const std::string& line : Dump("log/" + name)) {
      unsigned long long at = 0, number = 0, durable = 0, payload = 0;
      std::sscanf(line.c_str(), "  number %llu, first sequence %llu", &number, &first);
      if (std::sscanf(line.c_str(),
                      "record at %llu: sequence %llu, durable before it %llu, payload %llu bytes",
                      &at, &number, &durable, &payload) == 4) {
        EXPECT_EQ(at, next) << line;
        EXPECT_EQ(number, sequence == 0 ? first : sequence + 1) << line;
        EXPECT_LT(durable, number) << line;
        next = at + format::kLogRecordHeaderBytes + payload;
        sequence = number;
        ++records;
      }
      if (std::sscanf(line.c_str(), "end of records at %llu", &at) == 1) {
        EXPECT_EQ(at, next) << line;
      }
    }
  }
  EXPECT_GE(records, 20u);
}

TEST_F(DumpTest, KeysTellEntriesOfEveryShape) {
  const std::string direct(2 * kBlock + 100, 'd'), large(20 * kBlock, 'l');
  Apply([&](Batch& batch) {
    batch.Put({kRootDirectory, "small"}, AsBytes("in the leaf"), "\x10\x20");
    batch.Put({kRootDirectory, "sparse"}, {});
    batch.Resize({kRootDirectory, "sparse"}, kBlock);
    batch.Put({kRootDirectory, "reserved"}, {});
    batch.Resize({kRootDirectory, "reserved"}, kBlock);
    batch.Allocate({kRootDirectory, "reserved"}, 0, kBlock);
  });
  ASSERT_TRUE(store_->Put("direct", direct));
  ASSERT_TRUE(store_->Put("large", large));
  ASSERT_TRUE(store_->Checkpoint());
  const auto lines = DumpShards("keys");
  auto entry = [&](std::string_view name, uint64_t size, const std::string& meta) {
    return "    entry: id " + std::to_string(IdOf(name)) + ", size " + std::to_string(size) +
           ", meta " + meta;
  };
  ExpectLine(lines, entry("small", 11, "1020"));
  ExpectLine(lines, "    tail \"in the leaf\" (11 bytes)");
  ExpectLine(lines, entry("direct", direct.size(), ""));
  ExpectLine(lines, "    tail \"" + std::string(48, 'd') + "\"... (100 bytes)");
  ExpectLine(lines, entry("large", large.size(), ""));
  ExpectLine(lines, "    0: hole");
  EXPECT_EQ(std::ranges::count_if(lines, [](auto& it) { return it.ends_with(" unwritten"); }), 1);
  const auto contents = After(lines, "    content ");
  ASSERT_EQ(contents.size(), 1u);
  EXPECT_TRUE(contents[0].ends_with(", 20 blocks")) << contents[0];
  // Two direct blocks and twenty in the chunk.
  const uint64_t of_direct =
      format::Checksum(AsBytes(std::string(kBlock, 'd')), Identity().ShardSeed(IdOf("direct") % 2));
  const uint64_t of_large =
      format::Checksum(AsBytes(std::string(kBlock, 'l')), Identity().ShardSeed(IdOf("large") % 2));
  EXPECT_EQ(std::ranges::count_if(
                lines, [&](auto& it) { return it.ends_with(" checksum " + Hex(of_direct)); }),
            2);
  EXPECT_EQ(std::ranges::count_if(
                lines, [&](auto& it) { return it.ends_with(" checksum " + Hex(of_large)); }),
            20);
}

TEST_F(DumpTest, BranchesCountTheRecordsBelowThem) {
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(store_->Put("name" + std::to_string(i), "value"));
  ASSERT_TRUE(store_->Checkpoint());
  uint64_t in_leaves = 0, below_branches = 0;
  for (const std::string& line : DumpShards("keys")) {
    unsigned long long page = 0, epoch = 0, count = 0;
    if (std::sscanf(line.c_str(), "page %llu: leaf, epoch %llu, %llu records", &page, &epoch,
                    &count) == 3) {
      in_leaves += count;
    }
    const size_t colon = line.rfind(": page ");
    if (line.starts_with("  directory ") && colon != std::string::npos) {
      ASSERT_EQ(std::sscanf(line.c_str() + colon, ": page %llu of epoch %llu, %llu records", &page,
                            &epoch, &count),
                3)
          << line;
      below_branches += count;
    }
  }
  EXPECT_EQ(in_leaves, 400u);
  EXPECT_EQ(below_branches, 400u);
}

TEST_F(DumpTest, ValuesTellEachBlock) {
  const std::string value = std::string(kBlock, 'a') + std::string(kBlock, 'b');
  ASSERT_TRUE(store_->Put("foo", value));
  ASSERT_TRUE(store_->Checkpoint());
  const uint32_t shard = static_cast<uint32_t>(IdOf("foo") % 2);
  const auto lines = Dump("shard-0" + std::to_string(shard) + ".values");
  for (const char fill : {'a', 'b'}) {
    const uint64_t sum =
        format::Checksum(AsBytes(std::string(kBlock, fill)), Identity().ShardSeed(shard));
    const std::string words =
        ": checksum " + Hex(sum) + ", \"" + std::string(48, fill) + "\"... (4096 bytes)";
    EXPECT_EQ(std::ranges::count_if(lines, [&](auto& it) { return it.ends_with(words); }), 1)
        << words;
  }
  EXPECT_FALSE(lines[2].starts_with("block 0:")) << "number 0 means none";
}

TEST_F(DumpTest, DamagedPagesAreNamedAndTheOthersTold) {
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(store_->Put("name" + std::to_string(i), "value"));
  Close();
  const auto before = After(Dump("shard-00.keys"), "page ");
  ASSERT_GE(before.size(), 3u);
  const uint64_t first = std::strtoull(before[0].c_str(), nullptr, 10);
  const uint64_t second = std::strtoull(before[1].c_str(), nullptr, 10);
  Flip("shard-00.keys", first * kPage + 2000);
  // A page in the place of another.
  std::vector<std::byte> page(kPage);
  auto file = FileOf("shard-00.keys");
  const uint64_t last = std::strtoull(before.back().c_str(), nullptr, 10);
  ASSERT_TRUE(file->Read(last * kPage, page));
  ASSERT_TRUE(file->Write(second * kPage, page));
  const auto after = After(Dump("shard-00.keys"), "page ");
  ASSERT_EQ(after.size(), before.size());
  EXPECT_TRUE(after[0].starts_with(std::to_string(first) + ": damaged: ")) << after[0];
  EXPECT_EQ(after[1],
            std::to_string(second) + ": damaged: it says that it is page " + std::to_string(last));
  EXPECT_EQ(after.back(), before.back());
}

TEST_F(DumpTest, AVisitorWhoHasHadEnoughGetsNoMore) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(store_->Put("name" + std::to_string(i), "value"));
  ASSERT_TRUE(store_->Put("large", std::string(50'000, 'x')));
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_TRUE(store_->Put("logged", "x"));
  std::vector<std::string> names = {"superblock", "identity", "lock"};
  for (const char* file :
       {"shard-00.keys", "shard-01.keys", "shard-00.values", "shard-01.values"}) {
    names.emplace_back(file);
  }
  for (const std::string& name : LogNames()) {
    names.push_back("log/" + name);
  }
  for (const std::string& name : names) {
    const size_t all = Dump(name).size();
    for (size_t wanted = 1; wanted < std::min<size_t>(all, 40); ++wanted) {
      size_t given = 0;
      ASSERT_TRUE(
          DumpFile(disk_, path_ + "/" + name, [&](std::string_view) { return ++given < wanted; }));
      EXPECT_EQ(given, wanted) << name;
    }
  }
}

TEST_F(DumpTest, TheLockFileTellsWhoHasTheStore) {
  const auto held = Dump("lock");
  ASSERT_EQ(held.size(), 2u);
  EXPECT_TRUE(held[1].starts_with("  holder \"pid ")) << held[1];
  Close();
  EXPECT_EQ(Dump("lock").back(), "  nobody, or only readers");
}

TEST_F(DumpTest, FilesThatAreNoneOfAStoresAreRefused) {
  Close();
  ASSERT_TRUE(disk_.CreateFile(path_ + "/letter"));
  for (const char* name : {"shard-02.keys", "shard-02.values", "shard-x.keys", "shard-1x.values",
                           "old.keys", "shard-.keys"}) {
    ASSERT_TRUE(disk_.CreateFile(path_ + "/" + name));
    EXPECT_EQ(Refusal(path_ + "/" + name), ErrorCode::kUnsupported) << name;
  }
  EXPECT_EQ(Refusal(path_ + "/letter"), ErrorCode::kUnsupported);
  EXPECT_EQ(Refusal(path_ + "/absent"), ErrorCode::kNotFound);
  EXPECT_EQ(Refusal("letter"), ErrorCode::kNotFound) << "a path without a directory";
  const size_t keys = Dump("shard-00.keys").size();
  ASSERT_TRUE(disk_.RemoveFile(path_ + "/superblock"));
  EXPECT_EQ(Dump("shard-00.keys").size(), keys) << "the copy serves";
  ASSERT_TRUE(disk_.RemoveFile(path_ + "/identity"));
  EXPECT_EQ(Refusal(path_ + "/shard-00.keys"), ErrorCode::kCorrupt);
}

TEST_F(DumpTest, WhatIsNoSegmentSaysSo) {
  Close();
  auto file = disk_.CreateFile(path_ + "/log/segment-99").value();
  ASSERT_TRUE(file->Write(0, AsBytes(std::string(200, 'x'))));
  EXPECT_EQ(Dump("log/segment-99"),
            (std::vector<std::string>{
                "log segment, 200 bytes",
                "no header of a segment of this store: not in use yet, or damaged"}));
}

TEST_F(DumpTest, AFileCutInAPageEndsBeforeIt) {
  ASSERT_TRUE(store_->Put("foo", "bar"));
  Close();
  const uint64_t size = FileOf("shard-00.keys")->SizeBytes().value();
  ASSERT_GT(size, kPage);
  ASSERT_TRUE(FileOf("shard-00.keys")->Shorten(kPage + 100));
  EXPECT_EQ(After(Dump("shard-00.keys"), "page ").size(), 0u);
}

}  // namespace
}  // namespace kvfs
