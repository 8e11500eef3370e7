// Writes the files of smkv: gathers all values by bucket, and writes whole files at the end.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "cli/transfer/output_file.h"
#include "cli/transfer/smkv_format.h"
#include "cli/transfer/smkv_layout.h"

namespace kvfs::cli {

using namespace smkv;

namespace {

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
