// Names of smkv's files, and the hash of its keys.

#include "cli/transfer/smkv_layout.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace kvfs::cli::smkv {

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

}  // namespace kvfs::cli::smkv
