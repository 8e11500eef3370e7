// The files of smkv, the Python script from which kvfs evolved. Little-endian; for shard i of n:
//
//   BASE.shard<i>      header: buckets i32 | keys per bucket i32 | 16 i32 | n i32
//                      per bucket: keys i32 | free slot i32 | slots of 32 bytes:
//                        key 16 bytes, NUL padded | hash u64 | value offset u32 | value length u32
//                      zeros to a multiple of 4096
//   BASE.shard<i>.val  free offset u32 | 4 bytes unused | values; offsets count from byte 8
//                      zeros to a multiple of 4096
//
// The hash is the number in the first 16 hexadecimal digits of the key's SHA-256. The shard is hash
// mod n, the bucket (hash >> 8) mod buckets; the slots of a bucket are sorted by (hash, key). A key
// that was put twice has two slots; the one with the higher value offset is newer.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// kInvalid, with the file and the reason, if a file is not one of smkv's; nothing has been imported
// then. An implausible slot or bucket is reported by its place and left out; if all are
// implausible, the file is not one of smkv's.
Result<void> ReadSmkv(const std::string& base, EntrySink& sink);

// Writes `shards` shards of 16 buckets for 32 keys, as expected by smkv's load. Left out, and
// reported by name, are keys above 16 bytes, values above 32, keys whose bucket is full, and
// anything but files. Finish writes the files, which must not exist yet.
Result<std::unique_ptr<EntryWriter>> MakeSmkvWriter(const std::string& base, uint32_t shards);

inline constexpr uint32_t kMaxSmkvShards = 4096;
// The number of shards that the script itself creates, and the maximum that it accepts.
inline constexpr uint32_t kUsualSmkvShards = 2;
inline constexpr uint32_t kMaxWrittenSmkvShards = 16;

}  // namespace kvfs::cli
