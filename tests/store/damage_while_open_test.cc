// Data that changes on disk behind an open store's back, after it was read and found sound: it is
// detected at the next read for blocks, and for pages when they are due to be verified again. No
// reader gets a wrong byte after that, and no checkpoint gives it a new checksum.
#include <gtest/gtest.h>

#include <filesystem>

#include <kvfs/store.h>
#include "store/alloc/checksum_cache.h"
#include "store/env/memory_env.h"
#include "tests/support/small_store.h"
#include "tests/support/temporary_directory.h"

namespace kvfs {
namespace {

using Set = ChecksumCache;
constexpr uint64_t kSome = 1000;  // numbers

TEST(ChecksumCache, WhatWasCheckedIsKnownForAWhileAndNotForLonger) {
  const Set set;
  for (uint64_t number = 1; number < kSome; ++number) {
    set.Insert(number, 7, {100, 0});
    EXPECT_TRUE(set.Contains(number, 7, {100, 0}));
    EXPECT_FALSE(set.Contains(number, 8, {100, 0}));
    EXPECT_FALSE(set.Contains(number, 7, {100 + Set::kMostSeconds, 0})) << number;
    EXPECT_FALSE(set.Contains(number, 7, {100 + 10 * Set::kMostSeconds, 0})) << number;
  }
}

TEST(ChecksumCache, NotAllAreDueAtOnce) {
  const Set set;
  for (uint64_t number = 0; number < kSome; ++number) set.Insert(number, 7, {100, 0});
  uint64_t last = kSome;
  for (uint64_t second = 1; second <= Set::kMostSeconds; ++second) {
    uint64_t known = 0;
    for (uint64_t number = 0; number < kSome; ++number) {
      known += set.Contains(number, 7, {100 + second, 0}) ? 1 : 0;
    }
    EXPECT_LE(last - known, kSome / Set::kMostSeconds + 1) << second;
    last = known;
  }
  EXPECT_EQ(last, 0u);
}

TEST(ChecksumCache, AFaultOfTheMappingLetsAllBeCheckedAgain) {
  const Set set;
  for (uint64_t number = 0; number < kSome; ++number) {
    set.Insert(number, 7, {100, 0});
    for (uint64_t faults = 1; faults < 4; ++faults) {
      EXPECT_FALSE(set.Contains(number, 7, {100, faults})) << number;
    }
  }
}

class DamageWhileOpen : public testing::Test {
 protected:
  DamageWhileOpen() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(1, 4096)));
    OpenOptions open;
    open.idle_ms = 0;
    store_ = Store::Open(disk_, "store", open).value();
  }

  void Put(std::string_view name, std::string_view value) { ASSERT_TRUE(store_->Put(name, value)); }

  // Changes the first byte of `text`, wherever it is in the file.
  void FlipBehind(const std::string& path, std::string_view text) {
    auto file = disk_.OpenFile(path).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    size_t found = 0;
    for (size_t at = bytes.find(text); at != bytes.npos; at = bytes.find(text, at + 1)) {
      bytes[at] ^= 1;
      ASSERT_TRUE(file->Write(at, AsBytes(bytes).subspan(at, 1)));
      ++found;
    }
    ASSERT_GT(found, 0u) << text;
  }

  ErrorCode CodeOfGet(std::string_view name) {
    const auto value = store_->Get(name);
    return value ? ErrorCode::kNotFound : value.error().code;
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
};

TEST_F(DamageWhileOpen, OfABlockIsToldAtTheNextLook) {
  const std::string value =
      "begin of a value" + std::string(9000, 'v') + "end of the blocks" + std::string(8000, 'w');
  Put("large", value);
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_EQ(store_->Get("large").value(), value);
  FlipBehind("store/shard-00.values", "begin of a value");
  EXPECT_EQ(CodeOfGet("large"), ErrorCode::kCorrupt);
  // The unchanged part of the block is refused, too; another block is not.
  std::byte part[100];
  EXPECT_FALSE(store_->Read({kRootDirectory, "large"}, 2000, part));
  EXPECT_EQ(store_->Read({kRootDirectory, "large"}, 5000, part).value(), sizeof part);
}

TEST_F(DamageWhileOpen, OfALeafIsToldWhenItIsDueThoughItIsReadAgainAndAgain) {
  Put("small", "a small value");
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_EQ(store_->Get("small").value(), "a small value");
  FlipBehind("store/shard-00.keys", "a small value");
  for (uint64_t second = 0; second < Set::kMostSeconds; ++second) {
    disk_.PassSeconds(1);
    static_cast<void>(store_->Get("small"));
  }
  EXPECT_EQ(CodeOfGet("small"), ErrorCode::kCorrupt);
}

// The root is a branch: if it is damaged, no key can be looked up.
TEST_F(DamageWhileOpen, OfABranchIsToldWhenItIsDue) {
  for (int i = 0; i < 1000; ++i) Put("key " + std::to_string(i), std::string(100, 'v'));
  ASSERT_TRUE(store_->Checkpoint());
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(store_->Get("key " + std::to_string(i)));
  // Every page except the leaves: those contain the values.
  auto file = disk_.OpenFile("store/shard-00.keys").value();
  std::string bytes(file->SizeBytes().value(), '\0');
  ASSERT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
  for (size_t at = 0; at + 4096 <= bytes.size(); at += 4096) {
    const std::string_view page = std::string_view(bytes).substr(at, 4096);
    if (page.find("vvvv") != page.npos) continue;
    const std::byte changed{static_cast<unsigned char>(bytes[at + 100] ^ 1)};
    ASSERT_TRUE(file->Write(at + 100, {&changed, 1}));
  }
  disk_.PassSeconds(Set::kMostSeconds);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(CodeOfGet("key " + std::to_string(i)), ErrorCode::kCorrupt) << i;
  }
}

TEST_F(DamageWhileOpen, IsNotMergedIntoASoundPage) {
  Put("small", "a small value");
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_EQ(store_->Get("small").value(), "a small value");
  FlipBehind("store/shard-00.keys", "a small value");
  // Into the same leaf.
  Put("other", "another value");
  ASSERT_TRUE(store_->Checkpoint());
  EXPECT_EQ(CodeOfGet("small"), ErrorCode::kCorrupt);
  EXPECT_EQ(store_->Get("other").value(), "another value");
}

TEST_F(DamageWhileOpen, IsNotWrittenIntoASoundBlock) {
  Put("large", "begin of a value" + std::string(9000, 'v'));
  ASSERT_TRUE(store_->Checkpoint());
  ASSERT_TRUE(store_->Get("large"));
  FlipBehind("store/shard-00.values", "begin of a value");
  Batch batch;
  batch.Write({kRootDirectory, "large"}, 1000, AsBytes("a part"));
  EXPECT_EQ(store_->Apply(batch).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOfGet("large"), ErrorCode::kCorrupt);
}

// The mapping then shows zeros; this is detected as damage.
TEST(DamageWhileOpenOnDisk, OfAFileThatIsCutIsTold) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  ASSERT_TRUE(Store::Create(GetPosixEnv(), path, SmallStore(1)));
  auto store = Store::Open(GetPosixEnv(), path).value();
  ASSERT_TRUE(store->Put("large", std::string(100'000, 'l')));
  ASSERT_TRUE(store->Put("small", "value"));
  ASSERT_TRUE(store->Checkpoint());
  ASSERT_TRUE(store->Get("large"));
  const std::string values = path + "/shard-00.values";
  const uint64_t size = std::filesystem::file_size(values);
  std::filesystem::resize_file(values, 4096);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(store->Get("large").error().code, ErrorCode::kCorrupt);
  // The zeros that the mapping shows now.
  std::filesystem::resize_file(values, size);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(store->Get("large").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store->Get("small").value(), "value");
}

}  // namespace
}  // namespace kvfs
