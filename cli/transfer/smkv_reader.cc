// Reads the files of smkv, whole: they are small. Everything in them is validated before use.

#include <fmt/format.h>

#include <map>
#include <vector>

#include "cli/client/byte_streams.h"
#include "cli/client/value_argument.h"
#include "cli/transfer/smkv_format.h"
#include "cli/transfer/smkv_layout.h"

namespace kvfs::cli {

using namespace smkv;

namespace {

Result<std::string> ReadFile(const std::string& path) {
  const auto source = FromFile(path);
  if (!source) return Fail(ErrorCode::kIo, source.error().text);
  return ReadWhole(*source);
}

struct Found {
  uint32_t value_offset;
  std::string value;
};

using FoundKeys = std::map<std::string, Found>;

// An implausible part: where, and why.
struct BadPlace {
  std::string what;
  std::string reason;
};

class ShardReader {
 public:
  ShardReader(const std::string& base, uint32_t shard, std::vector<BadPlace>& bad)
      : base_(base), shard_(shard), bad_(bad) {}

  // Returns the number of shards.
  Result<uint32_t> Run(FoundKeys& found) {
    KVFS_ASSIGN(keys_, ReadFile(KeysPath(base_, shard_)));
    KVFS_ASSIGN(values_, ReadFile(ValuesPath(base_, shard_)));
    if (keys_.size() < kHeaderBytes) return Invalid("it is too short for a header");
    const uint32_t buckets = Number(0);
    const uint32_t per_bucket = Number(4);
    const uint32_t shards = Number(12);
    if (Number(8) != kKeyBytes) return Invalid("its header does not specify keys of 16 bytes");
    if (shards == 0 || shards > kMaxSmkvShards || shard_ >= shards) {
      return Invalid("its header has an impossible number of shards");
    }
    const uint64_t bucket_bytes = kBucketHeaderBytes + uint64_t{per_bucket} * kSlotBytes;
    if (buckets == 0 || per_bucket == 0 || buckets > keys_.size() || per_bucket > keys_.size() ||
        kHeaderBytes + buckets * bucket_bytes > keys_.size()) {
      return Invalid("it is shorter than its header says");
    }
    for (uint32_t i = 0; i < buckets; ++i) {
      ReadBucket(kHeaderBytes + i * bucket_bytes, per_bucket, shards, found);
    }
    return shards;
  }

 private:
  tl::unexpected<Error> Invalid(std::string_view reason) const {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{} is not a file of smkv: {}", KeysPath(base_, shard_), reason));
  }
  uint32_t Number(uint64_t at) const { return LoadLittle<uint32_t>(AsBytes(keys_).data() + at); }

  void ReadBucket(uint64_t at, uint32_t per_bucket, uint32_t shards, FoundKeys& found) {
    const uint32_t count = Number(at);
    if (count > per_bucket) return PassOver("the bucket", at, "it has more keys than slots");
    for (uint32_t i = 0; i < count; ++i) {
      ReadSlot(at + kBucketHeaderBytes + uint64_t{i} * kSlotBytes, shards, found);
    }
  }

  void PassOver(std::string_view what, uint64_t at, std::string_view reason) {
    bad_.push_back({fmt::format("{} at byte {} of {}", what, at, KeysPath(base_, shard_)),
                    std::string(reason)});
  }

  void ReadSlot(uint64_t at, uint32_t shards, FoundKeys& found) {
    std::string key = keys_.substr(at, kKeyBytes);
    key.erase(key.find_last_not_of('\0') + 1);
    const uint64_t hash = LoadLittle<uint64_t>(AsBytes(keys_).data() + at + kKeyBytes);
    const uint32_t offset = Number(at + 24);
    const uint32_t length = Number(at + 28);
    if (hash != HashOf(key)) {
      return PassOver("a key", at, "its hash does not match the stored one");
    }
    if (hash % shards != shard_) return PassOver("a key", at, "it belongs to another shard");
    const uint64_t end = uint64_t{kValuesBegin} + offset + length;
    if (end > values_.size()) {
      return PassOver(fmt::format("the key {}", key), at, "its value is beyond the end");
    }
    const auto present = found.find(key);
    if (present != found.end() && present->second.value_offset >= offset) return;
    found[key] = {offset, values_.substr(kValuesBegin + offset, length)};
  }

  const std::string& base_;
  const uint32_t shard_;
  std::vector<BadPlace>& bad_;
  std::string keys_;
  std::string values_;
};

}  // namespace

Result<void> ReadSmkv(const std::string& base, EntrySink& sink) {
  FoundKeys found;
  std::vector<BadPlace> bad;
  KVFS_ASSIGN(const uint32_t shards, ShardReader(base, 0, bad).Run(found));
  for (uint32_t shard = 1; shard < shards; ++shard) {
    KVFS_ASSIGN(const uint32_t told, ShardReader(base, shard, bad).Run(found));
    if (told != shards) {
      return Fail(ErrorCode::kInvalid, fmt::format("{} has another number of shards than {}",
                                                   KeysPath(base, shard), KeysPath(base, 0)));
    }
  }
  if (found.empty() && !bad.empty()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} is not a file of smkv: {}: {}",
                                                 KeysPath(base, 0), bad[0].what, bad[0].reason));
  }
  for (const BadPlace& place : bad) sink.LeaveOut(place.what, place.reason);
  SeenKeys seen;
  for (auto& [key, entry] : found) {
    const auto path = PathOfForeignKey(key, seen, sink);
    if (!path) continue;
    IncomingEntry incoming;
    incoming.path = *path;
    incoming.data = std::move(entry.value);
    KVFS_TRY(sink.Add(std::move(incoming)));
  }
  return {};
}

}  // namespace kvfs::cli
