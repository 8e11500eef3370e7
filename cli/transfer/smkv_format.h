// The files of smkv, the Python script that kvfs grew out of. Little-endian; for shard i of n:
//
//   BASE.shard<i>      header: buckets i32 | keys per bucket i32 | 16 i32 | n i32
//                      per bucket: keys i32 | free slot i32 | slots of 32 bytes:
//                        key 16 bytes, NUL padded | hash u64 | value offset u32 | value length u32
//                      zeros to a multiple of 4096
//   BASE.shard<i>.val  free offset u32 | 4 bytes unused | values; offsets count from byte 8
//                      zeros to a multiple of 4096
//
// The hash is the first 16 hexadecimal digits of the key's SHA-256 as a number. Its shard is hash
// mod n, its bucket (hash >> 8) mod buckets; the slots of a bucket are sorted by (hash, key). A key
// that was put twice has two slots, of which that with the higher value offset is newer.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// kInvalid names the file that is none of smkv's, and why; the store has got nothing then. A slot
// or a bucket that cannot be believed is left out by its place; where none can, it is no such file.
Result<void> ReadSmkv(const std::string& base, EntrySink& sink);

// With so many shards of 16 buckets for 32 keys, which is what smkv's load takes. Left out, and
// told by name, are keys above 16 bytes, values above 32, keys for which a bucket has no slot left,
// and what is no file. The files are written by Finish, and must not be there yet.
Result<std::unique_ptr<EntryWriter>> MakeSmkvWriter(const std::string& base, uint32_t shards);

inline constexpr uint32_t kMaxSmkvShards = 4096;
// What the script itself makes of a store, and the most that it takes.
inline constexpr uint32_t kUsualSmkvShards = 2;
inline constexpr uint32_t kMaxWrittenSmkvShards = 16;

}  // namespace kvfs::cli
