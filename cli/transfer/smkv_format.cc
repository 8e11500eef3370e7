// Whole files in memory: smkv's are small. Everything in them is validated before use.

#include "cli/transfer/smkv_format.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "cli/client/byte_streams.h"
#include "cli/client/value_argument.h"
#include "cli/transfer/output_file.h"

namespace kvfs::cli {
namespace {

constexpr uint32_t kKeyBytes = 16;
constexpr uint32_t kMaxValueBytes = 32;
constexpr uint32_t kHeaderBytes = 16;
constexpr uint32_t kBucketHeaderBytes = 8;
constexpr uint32_t kSlotBytes = 32;
constexpr uint32_t kValuesBegin = 8;
constexpr uint32_t kPageBytes = 4096;
constexpr uint32_t kBuckets = 16;
constexpr uint32_t kKeysPerBucket = 32;

std::string KeysPath(const std::string& base, uint32_t shard) {
  return fmt::format("{}.shard{}", base, shard);
}
std::string ValuesPath(const std::string& base, uint32_t shard) {
  return KeysPath(base, shard) + ".val";
}

uint64_t HashOf(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(key.data(), key.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[static_cast<size_t>(i)];
  return hash;
}

// --- reading ---

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

// --- writing ---

struct Slot {
  uint64_t hash;
  std::string key;
  std::string value;
  auto operator<=>(const Slot&) const = default;
};

void Append(std::string& out, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xff);
}

void Pad(std::string& out) { out.resize((out.size() + kPageBytes - 1) / kPageBytes * kPageBytes); }

class SmkvWriter final : public EntryWriter {
 public:
  SmkvWriter(std::string base, uint32_t shards)
      : base_(std::move(base)), shards_(shards), buckets_(size_t{shards} * kBuckets) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    if (key.inode.attributes.IsDirectory()) return {};
    if (!key.inode.attributes.IsRegular()) return Leave(path, "smkv holds only values");
    if (path.size() > kKeyBytes) return Leave(path, "smkv's keys have at most 16 bytes");
    if (path.find('\0') != std::string::npos)
      return Leave(path, "smkv's keys cannot contain a NUL");
    if (key.inode.size_bytes > kMaxValueBytes) {
      return Leave(path, "smkv's values have at most 32 bytes");
    }
    const uint64_t hash = HashOf(path);
    auto& bucket = buckets_[hash % shards_ * kBuckets + (hash >> 8) % kBuckets];
    if (bucket.size() == kKeysPerBucket) return Leave(path, "its bucket of 32 keys is full");
    KVFS_ASSIGN(std::string value, GetWhole(keys, key.path, kMaxValueBytes));
    bucket.push_back({hash, path, std::move(value)});
    return {};
  }

  Result<void> Finish() override {
    for (uint32_t shard = 0; shard < shards_; ++shard) KVFS_TRY(WriteShard(shard));
    for (OutputFile& file : files_) KVFS_TRY(file.Complete());
    return {};
  }

 private:
  Result<void> Leave(const std::string& path, std::string_view reason) {
    LeaveOut(path, reason);
    return {};
  }

  Result<void> WriteShard(uint32_t shard) {
    std::string keys;
    for (const uint32_t number : {kBuckets, kKeysPerBucket, kKeyBytes, shards_}) {
      Append(keys, number, 4);
    }
    std::string values;
    for (uint32_t i = 0; i < kBuckets; ++i) {
      AppendBucket(buckets_[size_t{shard} * kBuckets + i], keys, values);
    }
    Pad(keys);
    std::string file;
    Append(file, values.size(), 4);
    Append(file, 0, 4);
    file += values;
    Pad(file);
    KVFS_TRY(WriteNewFile(ValuesPath(base_, shard), file));
    return WriteNewFile(KeysPath(base_, shard), keys);
  }

  Result<void> WriteNewFile(const std::string& path, std::string_view content) {
    KVFS_ASSIGN(OutputFile file, OutputFile::OpenNew(path));
    KVFS_TRY(file.Sink()(AsBytes(content)));
    files_.push_back(std::move(file));
    return {};
  }

  static void AppendBucket(std::vector<Slot>& bucket, std::string& keys, std::string& values) {
    std::ranges::sort(bucket);
    Append(keys, bucket.size(), 4);
    Append(keys, bucket.size(), 4);
    for (const Slot& slot : bucket) {
      keys += slot.key;
      keys.append(kKeyBytes - slot.key.size(), '\0');
      Append(keys, slot.hash, 8);
      Append(keys, values.size(), 4);
      Append(keys, slot.value.size(), 4);
      values += slot.value;
    }
    keys.append((kKeysPerBucket - bucket.size()) * kSlotBytes, '\0');
  }

  const std::string base_;
  const uint32_t shards_;
  std::vector<std::vector<Slot>> buckets_;  // of all shards, one after another
  std::vector<OutputFile> files_;           // that get their names together
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

Result<std::unique_ptr<EntryWriter>> MakeSmkvWriter(const std::string& base, uint32_t shards) {
  for (uint32_t shard = 0; shard < shards; ++shard) {
    for (const std::string& path : {KeysPath(base, shard), ValuesPath(base, shard)}) {
      if (::access(path.c_str(), F_OK) == 0) {
        return Fail(ErrorCode::kIo, path + " exists already");
      }
    }
  }
  return std::make_unique<SmkvWriter>(base, shards);
}

}  // namespace kvfs::cli
