// Values at the limits of a change: whatever Apply accepts is present after the process was killed,
// and after a close. What a replay would refuse is refused before it is logged.
#include <gtest/gtest.h>

#include <array>
#include <map>

#include <kvfs/store.h>
#include "store/env/memory_env.h"
#include "tests/store/soundness.h"
#include "tests/support/small_store.h"

namespace kvfs {
namespace {

constexpr uint64_t kTop = uint64_t{1} << 63;
constexpr std::array<uint64_t, 15> kIds = {0,
                                           1,
                                           15,
                                           16,
                                           17,
                                           1000,
                                           kTop / 4 - 1,
                                           kTop / 4,
                                           kTop / 4 + 1,
                                           kTop / 2 - 1,
                                           kTop / 2,
                                           kTop / 2 + 1,
                                           kTop - 1,
                                           kTop,
                                           ~uint64_t{0}};
constexpr std::array<uint64_t, 9> kDirectories = {
    0, 1, 15, 16, kTop / 4, kTop / 2 + 1, kTop - 1, kTop, ~uint64_t{0}};
constexpr std::array<uint64_t, 10> kOffsets = {
    0, 1, 4095, 4096, 100'000, uint64_t{1} << 40, kTop - 4097, kTop - 1, kTop, ~uint64_t{0}};
constexpr std::array<size_t, 9> kDataSizes = {0, 1, 255, 4096, 8192, 8193, 65'536, 65'537, 140'000};
constexpr std::array<size_t, 6> kNameSizes = {0, 1, 254, 255, 256, 70'000};
constexpr std::array<size_t, 6> kMetaSizes = {0, 1, 254, 255, 256, 70'000};

// The visible state of an entry; of its content, the beginning and the end.
struct Seen {
  uint64_t id = 0;
  uint64_t version = 0;
  uint64_t size = 0;
  std::string meta;
  std::string begin, end;
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) {
  *out << "id " << seen.id << ", version " << seen.version << ", " << seen.size << " bytes";
}
using State = std::map<std::pair<DirectoryId, std::string>, Seen>;

std::string Piece(const Store& store, Key key, uint64_t offset) {
  std::string bytes(4096, '\0');
  const auto read = store.Read(key, offset, std::as_writable_bytes(std::span(bytes)));
  EXPECT_TRUE(read) << read.error().message;
  bytes.resize(read.value_or(0));
  return bytes;
}

class EdgeValuesTest : public testing::Test {
 protected:
  EdgeValuesTest() {
    CreateOptions options = SmallStore(3);
    options.log_limit_bytes = 16 << 20;
    EXPECT_TRUE(Store::Create(env_, "store", options));
    store_ = Open(env_);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(store_->Put("base " + std::to_string(i), "value"));
  }

  static std::unique_ptr<Store> Open(Env& env) {
    OpenOptions options;
    options.idle_ms = 0;
    auto store = Store::Open(env, "store", options);
    EXPECT_TRUE(store) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }

  // Applies a batch of one operation to an existing entry with 100,000 bytes. Errors are the
  // caller's, and never damage.
  void Try(const std::function<void(Batch&)>& add) {
    Batch batch;
    add(batch);
    const auto applied = store_->Apply(batch);
    ++(applied ? accepted_ : refused_);
    if (applied) return;
    const ErrorCode code = applied.error().code;
    EXPECT_TRUE(code == ErrorCode::kInvalid || code == ErrorCode::kTooLarge ||
                code == ErrorCode::kExists || code == ErrorCode::kNoSpace)
        << applied.error().message;
  }
  void Renew(Key key) {
    Batch batch;
    batch.Put(key, AsBytes(large_), "meta");
    ASSERT_TRUE(store_->Apply(batch));
  }
  std::string NewName() { return "new " + std::to_string(++names_); }

  static State Look(const Store& store) {
    State state;
    for (const DirectoryId directory : kDirectories) {
      if (directory >= kTop) continue;
      const auto listed = store.List(directory, 0, [&](const ListedEntry& entry) {
        const Key key{directory, entry.name};
        const uint64_t last = entry.size_bytes - std::min<uint64_t>(entry.size_bytes, 4096);
        state[{directory, std::string(entry.name)}] = {entry.id,
                                                       entry.version,
                                                       entry.size_bytes,
                                                       std::string(entry.meta),
                                                       Piece(store, key, 0),
                                                       Piece(store, key, last)};
        return true;
      });
      EXPECT_TRUE(listed) << listed.error().message;
    }
    return state;
  }

  void ExpectAllAfterAKill() {
    EXPECT_GT(accepted_, 0u);
    const State before = Look(*store_);
    auto image = env_.CrashImage({CrashChoice::Kind::kAll, 0});
    for (int opening = 0; opening < 3; ++opening) {
      SCOPED_TRACE("opening " + std::to_string(opening));
      auto store = Open(*image);
      ASSERT_TRUE(store);
      EXPECT_EQ(Look(*store), before);
      ExpectSound(*store);
      // Contents get ids of their own, too.
      ASSERT_TRUE(store->Put("afterwards", std::string(100'000, 'a')));
      EXPECT_TRUE(store->Get("afterwards") == std::string(100'000, 'a'));
      ASSERT_TRUE(store->Erase("afterwards"));
      ASSERT_TRUE(store->Close());
    }
  }

  const std::string large_ = std::string(100'000, 'l');
  const Key key_{kRootDirectory, "there"};
  MemoryEnv env_;
  std::unique_ptr<Store> store_;
  size_t accepted_ = 0, refused_ = 0;
  int names_ = 0;
};

TEST_F(EdgeValuesTest, IdsOfPutAs) {
  for (const uint64_t id : kIds) {
    for (const size_t size : kDataSizes) {
      const std::string name = NewName(), data(size, 'd');
      Try([&](Batch& batch) { batch.PutAs({kRootDirectory, name}, id, AsBytes(data), "meta"); });
    }
  }
  EXPECT_EQ(refused_, 7 * kDataSizes.size());
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, IdsAndSpacesOfRestore) {
  for (const uint64_t id : kIds) {
    for (const DirectoryId directory : kDirectories) {
      const std::string name = NewName();
      Try([&](Batch& batch) {
        batch.Restore({directory, name}, id, "meta");
        batch.Write({directory, name}, 0, AsBytes(large_));
      });
    }
  }
  EXPECT_EQ(refused_, kIds.size() * kDirectories.size() - 8 * 7);
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, IdsThatAreGivenGoOn) {
  for (const uint64_t id : kIds) {
    const std::string name = NewName();
    Try([&](Batch& batch) { batch.Restore({id, name}, id, "meta"); });
    for (int i = 0; i < 5; ++i) Renew({kRootDirectory, NewName()});
  }
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, KeysOfPutsAndErasures) {
  for (const DirectoryId directory : kDirectories) {
    for (const size_t size : kNameSizes) {
      const std::string name(size, 'n');
      Try([&](Batch& batch) { batch.Put({directory, name}, AsBytes(large_)); });
      Try([&](Batch& batch) {
        batch.Put({directory, name}, {});
        batch.Erase({directory, name});
      });
    }
  }
  EXPECT_GT(refused_, 0u);
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, DataAndMetas) {
  for (const size_t size : kDataSizes) {
    for (const size_t meta_size : kMetaSizes) {
      const std::string name = NewName(), data(size, 'd'), meta(meta_size, 'm');
      Try([&](Batch& batch) { batch.Put({kRootDirectory, name}, AsBytes(data), meta); });
    }
  }
  EXPECT_EQ(refused_, 2 * kDataSizes.size());
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, RangesOfContents) {
  for (const uint64_t offset : kOffsets) {
    for (const size_t size : kDataSizes) {
      const std::string data(size, 'd');
      Renew(key_);
      Try([&](Batch& batch) { batch.Write(key_, offset, AsBytes(data)); });
    }
    for (const uint64_t length : kOffsets) {
      Renew(key_);
      Try([&](Batch& batch) { batch.Punch(key_, offset, length); });
      Renew(key_);
      Try([&](Batch& batch) { batch.Allocate(key_, offset, length); });
    }
    Try([&](Batch& batch) { batch.Resize(key_, offset); });
    if (HasFailure()) return;
  }
  EXPECT_GT(refused_, 0u);
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, RangesOfContentsWithHoles) {
  for (const uint64_t size : kOffsets) {
    const std::string name = NewName();
    const Key key{kRootDirectory, name};
    Renew(key);
    Try([&](Batch& batch) { batch.Resize(key, size); });
    for (const uint64_t offset : kOffsets) {
      for (const size_t bytes : {size_t{1}, size_t{9000}}) {
        const std::string data(bytes, 'd');
        Try([&](Batch& batch) { batch.Write(key, offset, AsBytes(data)); });
        Try([&](Batch& batch) { batch.Punch(key, offset, bytes); });
        Try([&](Batch& batch) { batch.Allocate(key, offset, bytes); });
      }
    }
  }
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, MetasThatAreEdited) {
  Renew(key_);
  const Key other{kRootDirectory, "other"};
  for (const size_t size : kMetaSizes) {
    const std::string meta(size, 'm');
    const MetaEdit edit = [&](std::string& present) { present = meta; };
    Renew(other);
    Try([&](Batch& batch) { batch.EditMeta(key_, edit); });
    Try([&](Batch& batch) { batch.Write(key_, 5, AsBytes("x"), edit); });
    Try([&](Batch& batch) { batch.Resize(key_, 5, edit); });
    Try([&](Batch& batch) { batch.Punch(key_, 5, 5, edit); });
    Try([&](Batch& batch) { batch.Exchange(key_, other, edit, edit); });
    Try([&](Batch& batch) { batch.Move(other, key_, edit); });
  }
  EXPECT_EQ(refused_, 2 * 6u);
  ExpectAllAfterAKill();
}

TEST_F(EdgeValuesTest, SecondKeys) {
  Renew(key_);
  for (const DirectoryId directory : kDirectories) {
    for (const size_t size : kNameSizes) {
      const std::string name(size, 'n');
      const Key to{directory, name};
      Try([&](Batch& batch) { batch.Move(key_, to); });
      Try([&](Batch& batch) { batch.Put(key_, AsBytes(large_)); });
      if (name.empty() || size > kMaxNameBytes || directory >= kTop) continue;
      Try([&](Batch& batch) { batch.Exchange(key_, to); });
      Try([&](Batch& batch) { batch.TakeContent(key_, to); });
      Renew(key_);
    }
  }
  EXPECT_GT(refused_, 0u);
  ExpectAllAfterAKill();
}

}  // namespace
}  // namespace kvfs
