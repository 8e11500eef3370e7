// Damage of every kind of file is reported and never returned as data (P5), and is never more than
// an error (P7): a store is built and closed, one byte of one file is flipped or the file
// truncated, and then everything is read again. Each result is correct or kCorrupt.
//
// A failure is reported with the file and the offset, which repeat it.
#include <gtest/gtest.h>

#include <algorithm>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "store/format/superblock.h"
#include "tests/store/model.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr DirectoryId kOtherDirectory = 100;  // a directory that ReadStore reads
constexpr uint64_t kSectionBytes = 4096;

std::string Text(size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + (seed = seed * 1103515245 + 12345) / 65536 % 26);
  return text;
}

class CorruptionTest : public testing::Test {
 protected:
  CorruptionTest() {
    EXPECT_TRUE(Store::Create(disk_, "store", SmallStore(2)));
    Open();
  }

  void Open() { store_ = Store::Open(disk_, "store").value(); }

  void Put(DirectoryId directory, const std::string& name, const std::string& content) {
    const std::string meta = "meta of " + name;
    Batch batch;
    batch.Put({directory, name}, AsBytes(content), meta);
    ASSERT_TRUE(store_->Apply(batch));
    expected_[{directory, name}] = {content, meta};
    states_.push_back(expected_);
  }

  // Enough for trees with branches, and contents in a leaf, in blocks, and with holes.
  void FillAndClose() {
    for (unsigned i = 0; i < 60; ++i)
      Put(kRootDirectory, "small " + std::to_string(i), Text(150, i));
    Put(kRootDirectory, "empty", "");
    ASSERT_TRUE(store_->Checkpoint());
    for (unsigned i = 0; i < 4; ++i)
      Put(kOtherDirectory, "large " + std::to_string(i), Text(9000, i));
    Batch batch;
    batch.Resize({kOtherDirectory, "large 0"}, 200'000);
    ASSERT_TRUE(store_->Apply(batch));
    expected_[{kOtherDirectory, "large 0"}].content.resize(200'000);
    ASSERT_TRUE(store_->Close());
    store_.reset();
  }

  static std::string BytesOf(Env& env, const std::string& path) {
    auto file = env.OpenFile(path).value();
    std::string bytes(file->SizeBytes().value(), '\0');
    EXPECT_TRUE(file->Read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
  }
  static void Replace(Env& env, const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(env.RemoveFile(path));
    auto file = env.CreateFile(path).value();
    ASSERT_TRUE(file->Write(0, AsBytes(bytes)));
  }
  static void FlipByte(Env& env, const std::string& path, uint64_t offset, uint8_t mask) {
    auto file = env.OpenFile(path).value();
    std::byte byte[1];
    ASSERT_TRUE(file->Read(offset, byte));
    byte[0] ^= std::byte{mask};
    ASSERT_TRUE(file->Write(offset, byte));
  }
  std::unique_ptr<MemoryEnv> CopyOfDisk() { return disk_.CrashImage({CrashChoice::Kind::kAll, 0}); }

  std::vector<std::string> LogFiles() {
    std::vector<std::string> paths;
    const auto names = disk_.ListDirectory("store/log").value();
    for (const auto& name : names) paths.push_back("store/log/" + name);
    return paths;
  }

  // In each section every `stride`-th byte up to the last nonzero one, and one after it.
  static std::vector<uint64_t> OffsetsOf(const std::string& bytes, uint64_t stride) {
    std::vector<uint64_t> offsets;
    for (uint64_t begin = 0; begin < bytes.size(); begin += kSectionBytes) {
      const std::string_view section = std::string_view(bytes).substr(begin, kSectionBytes);
      const size_t end = section.find_last_not_of('\0') + 1;  // 0 if all are zero
      for (uint64_t at = begin % stride; at < end; at += stride) offsets.push_back(begin + at);
      if (end < section.size()) offsets.push_back(begin + end);
    }
    return offsets;
  }

  template <typename Check>
  void FlipBytesOf(const std::string& path, uint64_t stride, Check check) {
    for (uint64_t offset : OffsetsOf(BytesOf(disk_, path), stride)) {
      SCOPED_TRACE("flipped byte " + std::to_string(offset) + " of " + path);
      auto image = CopyOfDisk();
      FlipByte(*image, path, offset, static_cast<uint8_t>(1u << offset / stride % 8));
      check(*image);
      ++cases_;
      if (HasFailure()) return;
    }
  }

  template <typename Check>
  void TruncateFile(const std::string& path, Check check) {
    const std::string bytes = BytesOf(disk_, path);
    for (uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{100}, uint64_t{4096}, uint64_t{5000},
                            bytes.size() / 2, bytes.size() - 4096, bytes.size() - 1}) {
      if (length >= bytes.size()) continue;
      SCOPED_TRACE(path + " cut to " + std::to_string(length) + " bytes");
      auto image = CopyOfDisk();
      Replace(*image, path, bytes.substr(0, length));
      check(*image);
      ++cases_;
      if (HasFailure()) return;
    }
  }

  void ExpectRightOrRefused(Env& image) {
    auto store = Store::Open(image, "store");
    if (!store) {
      ExpectRefusal(store.error());
      return;
    }
    for (const auto& [key, entry] : expected_) ExpectRightOrRefused(**store, key, entry);
    for (DirectoryId directory : {kRootDirectory, kOtherDirectory})
      ExpectListing(**store, directory);
    ExpectUsableOrRefused(**store);
  }

  void ExpectRefusal(const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kCorrupt) << error.message;
    EXPECT_FALSE(error.message.empty());
    ++refused_;
  }

  void ExpectRightOrRefused(const Store& store, const Model::key_type& key,
                            const ModelEntry& entry) {
    auto info = store.Stat({key.first, key.second});
    if (!info) return ExpectRefusal(info.error());
    EXPECT_EQ(info->size_bytes, entry.content.size()) << key.second;
    EXPECT_EQ(info->meta, entry.meta) << key.second;
    std::string content(entry.content.size() + 1, '?');
    auto count = store.Read({key.first, key.second}, 0, std::as_writable_bytes(std::span(content)));
    if (!count) return ExpectRefusal(count.error());
    content.resize(*count);
    EXPECT_TRUE(content == entry.content) << key.second << " has other bytes";
  }

  void ExpectListing(const Store& store, DirectoryId directory) {
    size_t count = 0;
    auto listed = store.List(directory, 0, [&](const ListedEntry& entry) {
      auto found = expected_.find({directory, std::string(entry.name)});
      EXPECT_TRUE(found != expected_.end()) << "lists what is not there: " << entry.name;
      if (found == expected_.end()) return true;
      EXPECT_EQ(entry.size_bytes, found->second.content.size());
      ++count;
      return true;
    });
    if (!listed) return ExpectRefusal(listed.error());
    EXPECT_EQ(count, std::ranges::count_if(expected_, [&](const auto& entry) {
                return entry.first.first == directory;
              }));
  }

  void ExpectUsableOrRefused(Store& store) {
    for (const auto& [key, entry] : expected_) {
      Batch batch;
      batch.Write({key.first, key.second}, 1, AsBytes("x"));
      static_cast<void>(store.Apply(batch));
    }
    auto put = store.Put("new", Text(5000, 99));
    auto got = store.Get("new");
    if (put) {
      EXPECT_TRUE(got && *got == Text(5000, 99));
    }
    static_cast<void>(store.Checkpoint());
  }

  // For stores that were not closed: everything in the log after the damage may be lost.
  void ExpectPrefixOrRefused(Env& image) {
    auto store = Store::Open(image, "store");
    if (!store) return ExpectRefusal(store.error());
    auto held = ReadStore(**store);
    if (!held) return ExpectRefusal(held.error());
    EXPECT_TRUE(std::ranges::find(states_, *held) != states_.end())
        << Difference(states_.back(), *held);
  }

  MemoryEnv disk_;
  std::unique_ptr<Store> store_;
  Model expected_;
  std::vector<Model> states_ = {Model{}};
  size_t cases_ = 0;
  size_t refused_ = 0;
};

TEST_F(CorruptionTest, AnUntouchedCopyIsRight) {
  FillAndClose();
  ExpectRightOrRefused(*CopyOfDisk());
  EXPECT_EQ(refused_, 0u);
}

TEST_F(CorruptionTest, EveryByteOfTheSuperblock) {
  FillAndClose();
  FlipBytesOf("store/superblock", 1, [&](Env& image) {
    auto store = Store::Open(image, "store");
    if (!store && store.error().code == ErrorCode::kUnsupported) return;  // its version was hit
    if (store) store->reset();
    ExpectRightOrRefused(image);
  });
}

// Either copy suffices, and an opening repairs the other.
TEST_F(CorruptionTest, AnIdentityInEitherPlaceIsEnough) {
  FillAndClose();
  for (const int damaged : {0, 1}) {
    auto image = CopyOfDisk();
    auto flip = [&](int which) {
      FlipByte(*image, "store/superblock", format::kIdentityOffset[which] + 17, 1);
      FlipByte(*image, "store/superblock", format::kIdentityOffset[which] + 30, 1);
    };
    flip(damaged);
    ASSERT_TRUE(Store::Open(*image, "store"));
    flip(1 - damaged);
    ExpectRightOrRefused(*image);
  }
  EXPECT_EQ(refused_, 0u);
}

// The older checkpoint is valid only as long as the log continues from it.
TEST_F(CorruptionTest, NewestCheckpointDestroyedAfterALongLog) {
  for (unsigned i = 0; i < 60; ++i) {
    for (unsigned j = 0; j < 10; ++j)
      Put(kRootDirectory, "name " + std::to_string(j), Text(7000 + i, i));
  }
  ASSERT_TRUE(store_->Close());
  store_.reset();
  for (uint64_t slot : {format::kSlotOffset[0], format::kSlotOffset[1]}) {
    SCOPED_TRACE("slot at " + std::to_string(slot));
    auto image = CopyOfDisk();
    FlipByte(*image, "store/superblock", slot + 20, 1);
    ExpectRightOrRefused(*image);
  }
}

TEST_F(CorruptionTest, KeysFiles) {
  FillAndClose();
  for (const char* path : {"store/shard-00.keys", "store/shard-01.keys"}) {
    FlipBytesOf(path, 131, [&](Env& image) { ExpectRightOrRefused(image); });
  }
  EXPECT_GT(cases_, 200u);
  EXPECT_GT(refused_, 100u);
}

TEST_F(CorruptionTest, ValuesFiles) {
  FillAndClose();
  for (const char* path : {"store/shard-00.values", "store/shard-01.values"}) {
    FlipBytesOf(path, 257, [&](Env& image) { ExpectRightOrRefused(image); });
  }
  EXPECT_GT(refused_, 100u);
}

// Its records are not needed; only the segment that the checkpoint names must exist.
TEST_F(CorruptionTest, LogOfAClosedStore) {
  FillAndClose();
  for (const std::string& path : LogFiles()) {
    FlipBytesOf(path, 997, [&](Env& image) { ExpectRightOrRefused(image); });
  }
  EXPECT_LE(refused_, cases_ / 2);
}

// After a power failure that happened to preserve everything, records that are not proven to have
// been durable may be cut off; after the death of the process alone, damage of any record is
// reported.
TEST_F(CorruptionTest, LogOfAStoreThatWasNotClosed) {
  for (unsigned i = 0; i < 30; ++i) {
    Put(kRootDirectory, "name " + std::to_string(i % 7), Text(i % 5 ? 60 * i : 9000, i));
  }
  for (const std::string& path : LogFiles()) {
    FlipBytesOf(path, 61, [&](MemoryEnv& image) {
      const CrashChoice everything{CrashChoice::Kind::kPrefix, image.UnsyncedCount()};
      ExpectPrefixOrRefused(*image.CrashImage(everything));
    });
  }
  EXPECT_GT(cases_, 300u);
  EXPECT_LE(refused_, 10u) << "more than the first segment's header";
  for (const std::string& path : LogFiles()) {
    if (path.ends_with("mark")) continue;
    FlipBytesOf(path, 61, [&](MemoryEnv& image) {
      const auto store = Store::Open(image, "store");
      if (store) {
        const auto held = ReadStore(**store);
        EXPECT_TRUE(held && *held == expected_) << "something is missing, and was not told";
      }
    });
  }
}

// The log is replayed over damaged pages: changes that do not depend on them are applied, and those
// that do are lost, but never undone to an older state.
TEST_F(CorruptionTest, ChangesOfWhatWasOnDamagedPages) {
  const std::string large = Text(9000, 1);
  for (const char* name : {"moved", "target", "written", "put", "erased", "here", "there"}) {
    Put(kOtherDirectory, name, large);
  }
  ASSERT_TRUE(store_->Checkpoint());
  Batch batch;
  batch.Move({kOtherDirectory, "moved"}, {kOtherDirectory, "target"});
  batch.Write({kOtherDirectory, "written"}, 100, AsBytes("new"));
  batch.Put({kOtherDirectory, "put"}, AsBytes("new"), "");
  batch.Erase({kOtherDirectory, "erased"});
  batch.Exchange({kOtherDirectory, "here"}, {kOtherDirectory, "there"});
  ASSERT_TRUE(store_->Apply(batch));
  ASSERT_TRUE(store_->Sync());
  const auto image = CopyOfDisk();
  for (const char* path : {"store/shard-00.keys", "store/shard-01.keys"}) {
    const uint64_t bytes = BytesOf(*image, path).size();
    for (uint64_t at = 100; at < bytes; at += kSectionBytes) FlipByte(*image, path, at, 1);
  }
  for (int opening = 0; opening < 2; ++opening) {
    SCOPED_TRACE("opening " + std::to_string(opening));
    auto store = Store::Open(*image, "store").value();
    auto get = [&](const char* name) -> Result<std::string> {
      std::string content(large.size(), 0);
      KVFS_ASSIGN(const size_t read, store->Read({kOtherDirectory, name}, 0,
                                                 std::as_writable_bytes(std::span(content))));
      content.resize(read);
      return content;
    };
    for (const char* name : {"target", "written", "here", "there"}) {
      const auto got = get(name);
      EXPECT_TRUE(!got && got.error().code == ErrorCode::kCorrupt) << name;
    }
    for (const char* name : {"moved", "erased"}) {
      const auto got = get(name);
      ASSERT_FALSE(got) << name;
      // A checkpoint records which pages were damaged, but no longer what was erased from them.
      EXPECT_TRUE(opening > 0 || got.error().code == ErrorCode::kNotFound) << name;
    }
    EXPECT_EQ(get("put").value_or("none"), "new");
    ASSERT_TRUE(store->Close());
  }
}

// An unreadable entry is not treated as absent by any change.
TEST_F(CorruptionTest, NoChangeTakesADamagedEntryForAnAbsentOne) {
  FillAndClose();
  auto image = CopyOfDisk();
  for (const char* keys : {"store/shard-00.keys", "store/shard-01.keys"}) {
    const std::string bytes = BytesOf(*image, keys);
    const uint64_t page = CreateOptions().page_bytes;
    for (uint64_t at = page; at + page <= bytes.size(); at += page) {
      FlipByte(*image, keys, at + 100, 1);
    }
  }
  auto store = Store::Open(*image, "store").value();
  const Key key{kRootDirectory, "small 1"}, other{kRootDirectory, "other"};
  const auto error_of = [&](auto change) {
    Batch batch;
    change(batch);
    const auto applied = store->Apply(batch);
    return applied ? ErrorCode::kInternal : applied.error().code;
  };
  EXPECT_EQ(error_of([&](Batch& it) { it.Erase(key); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&](Batch& it) { it.Move(key, other); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&](Batch& it) { it.Resize(key, 1); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&](Batch& it) { it.Exchange(key, other); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&](Batch& it) { it.Expect(key, Batch::kAbsent); }), ErrorCode::kCorrupt);
}

TEST_F(CorruptionTest, FilesCutShort) {
  FillAndClose();
  for (const char* name : {"superblock", "shard-00.keys", "shard-01.keys", "shard-00.values"}) {
    TruncateFile(std::string("store/") + name, [&](Env& image) { ExpectRightOrRefused(image); });
  }
  EXPECT_GT(refused_, 10u);
}

TEST_F(CorruptionTest, LogFilesCutShort) {
  for (unsigned i = 0; i < 30; ++i) Put(kRootDirectory, "name " + std::to_string(i), Text(500, i));
  for (const std::string& path : LogFiles()) {
    TruncateFile(path, [&](Env& image) { ExpectPrefixOrRefused(image); });
  }
}

TEST_F(CorruptionTest, MissingFilesAreDamage) {
  FillAndClose();
  for (const char* name : {"shard-00.keys", "shard-01.values"}) {
    SCOPED_TRACE(name);
    auto image = CopyOfDisk();
    ASSERT_TRUE(image->RemoveFile(std::string("store/") + name));
    ExpectRightOrRefused(*image);
  }
  EXPECT_EQ(refused_, 2u);
}

TEST_F(CorruptionTest, AMissingSuperblockIsDamage) {
  FillAndClose();
  auto image = CopyOfDisk();
  ASSERT_TRUE(image->RemoveFile("store/superblock"));
  EXPECT_EQ(Store::Open(*image, "store").error().code, ErrorCode::kCorrupt);
}

// The files of one shard in the place of another's: their checksums are correct, with another seed.
TEST_F(CorruptionTest, FilesInEachOthersPlaces) {
  FillAndClose();
  for (const char* what : {".keys", ".values"}) {
    SCOPED_TRACE(what);
    auto image = CopyOfDisk();
    const std::string first = std::string("store/shard-00") + what;
    const std::string second = std::string("store/shard-01") + what;
    const std::string bytes = BytesOf(*image, first);
    Replace(*image, first, BytesOf(*image, second));
    Replace(*image, second, bytes);
    ExpectRightOrRefused(*image);
  }
  EXPECT_GT(refused_, 3u);
}

}  // namespace
}  // namespace kvfs
