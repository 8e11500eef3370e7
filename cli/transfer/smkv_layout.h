// What smkv's reader and writer share: sizes in its files, their names, and the hash of a key. The
// layout itself is in cli/transfer/smkv_format.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kvfs::cli::smkv {

inline constexpr uint32_t kKeyBytes = 16;
inline constexpr uint32_t kMaxValueBytes = 32;
inline constexpr uint32_t kHeaderBytes = 16;
inline constexpr uint32_t kBucketHeaderBytes = 8;
inline constexpr uint32_t kSlotBytes = 32;
inline constexpr uint32_t kValuesBegin = 8;
inline constexpr uint32_t kPageBytes = 4096;
inline constexpr uint32_t kBuckets = 16;
inline constexpr uint32_t kKeysPerBucket = 32;

std::string KeysPath(const std::string& base, uint32_t shard);
std::string ValuesPath(const std::string& base, uint32_t shard);

uint64_t HashOf(std::string_view key);

}  // namespace kvfs::cli::smkv
