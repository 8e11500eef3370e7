// Reads piece by piece; starts again if the entry's version has changed at the end.
#include "fs/content_checksum.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace kvfs::fs {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr int kAttempts = 5;

struct FreeState {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

std::string ToHex(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<std::string> ChecksumOnce(const Store& store, Key key, uint64_t size_bytes) {
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_128bits_reset(state.get());
  std::vector<std::byte> buffer(std::min<uint64_t>(kPieceBytes, size_bytes));
  for (uint64_t offset = 0; offset < size_bytes;) {
    KVFS_ASSIGN(const size_t length, store.Read(key, offset, buffer));
    if (length == 0) break;
    XXH3_128bits_update(state.get(), buffer.data(), length);
    offset += length;
  }
  return ToHex(XXH3_128bits_digest(state.get()));
}

}  // namespace

Result<std::string> ChecksumContent(const Store& store, Key key, uint64_t id) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    KVFS_ASSIGN(const EntryInfo before, store.Stat(key));
    if (before.id != id) return Fail(ErrorCode::kNotFound);
    if (before.size_bytes > kMaxGetBytes) return Fail(ErrorCode::kTooLarge);
    KVFS_ASSIGN(std::string checksum, ChecksumOnce(store, key, before.size_bytes));
    KVFS_ASSIGN(const EntryInfo after, store.Stat(key));
    if (after.version == before.version) return checksum;
  }
  return Fail(ErrorCode::kConflict);
}

}  // namespace kvfs::fs
