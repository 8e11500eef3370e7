// What the formats share.

#include "cli/transfer.h"

#include <fmt/format.h>

#include <cstdio>

namespace kvfs::cli {

void EntryWriter::Skip(const std::string& path, std::string_view reason) {
  fmt::print(stderr, "kvfs: left out {}: {}\n", path, reason);
  ++skipped_;
}

std::optional<std::string> EntryWriter::FirstNameOf(const fs::InodeInfo& inode,
                                                    const std::string& path) {
  if (inode.attributes.links < 2 || inode.attributes.IsDirectory()) return {};
  const auto [first, is_first] = names_.emplace(inode.number, path);
  if (is_first) return {};
  return first->second;
}

Result<std::string> GetWhole(Keys& keys, const std::string& path, uint64_t limit) {
  std::string value;
  KVFS_TRY(keys.Get(path, [&](Bytes piece) -> Result<void> {
    if (value.size() + piece.size() > limit) {
      return Fail(ErrorCode::kTooLarge, fmt::format("it has more than {} bytes", limit));
    }
    value += AsText(piece);
    return {};
  }));
  return value;
}

}  // namespace kvfs::cli
