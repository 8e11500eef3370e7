// Code shared by the formats.

#include "cli/transfer/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "cli/base/user_message.h"

namespace kvfs::cli {

std::string OfParts(const Losses& losses) {
  if (losses.parts == 0) return "";
  return fmt::format(", and {} {} of others", losses.parts, losses.parts == 1 ? "part" : "parts");
}

void EntryWriter::LeaveOut(std::string_view what, std::string_view reason) {
  Tell(Severity::kWarning, fmt::format("left out {}: {}", what, reason));
  ++losses_.entries;
}

void EntryWriter::LeaveOutPart(std::string_view what, std::string_view reason) {
  Tell(Severity::kWarning, fmt::format("left out {}: {}", what, reason));
  ++losses_.parts;
}

Result<fs::XattrMap> EntryWriter::XattrsOf(Keys& keys, const WalkedKey& key,
                                           const std::string& path) {
  if (!key.inode.attributes.has_xattrs) return fs::XattrMap();
  auto xattrs = keys.GetXattrs(key.path);
  if (xattrs || xattrs.error().code != ErrorCode::kCorrupt) return xattrs;
  NoteDamage();
  LeaveOutPart(fmt::format("the extended attributes of {}", path),
               ReasonOfKeyError(xattrs.error()));
  return fs::XattrMap();
}

std::optional<std::string> EntryWriter::FirstNameOf(const fs::InodeInfo& inode,
                                                    const std::string& path) {
  if (inode.attributes.links < 2 || inode.attributes.IsDirectory()) return {};
  const auto [first, is_first] = names_.emplace(inode.number, 0);
  if (!is_first) return paths_.PathOf(first->second);
  first->second = paths_.Add(path);
  return {};
}

void EntryWriter::ForgetName(const fs::InodeInfo& inode, const std::string& path) {
  const auto found = names_.find(inode.number);
  if (found != names_.end() && paths_.PathOf(found->second) == path) names_.erase(found);
}

bool SeenKeys::Add(std::string_view key) {
  if (2 * count_ >= hashes_.size()) Grow();
  const uint64_t hash = std::max<uint64_t>(std::hash<std::string_view>()(key), 1);
  for (size_t at = hash;; ++at) {
    uint64_t& slot = hashes_[at & (hashes_.size() - 1)];
    if (slot == hash) return false;
    if (slot != 0) continue;
    slot = hash;
    ++count_;
    return true;
  }
}

void SeenKeys::Grow() {
  const std::vector<uint64_t> before =
      std::exchange(hashes_, std::vector<uint64_t>(2 * hashes_.size()));
  for (const uint64_t hash : before) {
    if (hash == 0) continue;
    size_t at = hash;
    while (hashes_[at & (hashes_.size() - 1)] != 0) ++at;
    hashes_[at & (hashes_.size() - 1)] = hash;
  }
}

std::optional<std::string> PathOfForeignKey(const std::string& key, SeenKeys& seen,
                                            EntrySink& sink) {
  std::string path = NormalizeKeyPath(key);
  if (!seen.Add(path)) {
    sink.LeaveOut(fmt::format("another value of {}", key),
                  path == key ? "a key has one value"
                              : fmt::format("the key becomes {}, which has occurred before", path));
    return {};
  }
  if (path != key && !path.empty()) {
    sink.LeaveOutPart(fmt::format("slashes of the key {}", key),
                      fmt::format("a key has slashes only between names, so it is {}", path));
  }
  return path;
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
