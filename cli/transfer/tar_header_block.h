// The old header of a tar entry: 512 bytes, with numbers in octal.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "fs/inode_info.h"

namespace kvfs::cli {

inline constexpr size_t kTarBlockBytes = 512;
// The limits of the fields, above which a value goes into a record.
inline constexpr size_t kMaxTarNameBytes = 100;
inline constexpr uint64_t kMaxOctal7 = 07777777;
inline constexpr uint64_t kMaxOctal11 = 077777777777;

// Its fields.
struct TarHeader {
  std::string name;
  std::string link;
  uint32_t mode = 0;
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;
  int64_t mtime = 0;
  char type = '0';
  uint64_t device = 0;
};

TarHeader TarHeaderOf(const fs::InodeInfo& inode, const std::string& path);

class TarHeaderBlock {
 public:
  // Numbers that are too large are cut to the largest one, and names to their beginning: for
  // readers that ignore records.
  explicit TarHeaderBlock(const TarHeader& header);

  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  void Put(size_t at, std::string_view text);
  void PutOctal(size_t at, int digits, uint64_t number);

  std::array<char, kTarBlockBytes> bytes_{};
};

}  // namespace kvfs::cli
