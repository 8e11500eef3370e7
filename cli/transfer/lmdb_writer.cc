// Writes an LMDB dump, and computes how large a database it needs.

#include <fmt/format.h>

#include <utility>

#include "cli/transfer/lmdb_format.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxKeyBytes = 511;  // unless LMDB was built otherwise
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kMaxLeafBytes = 2000;  // above that a value has pages of its own
constexpr uint64_t kNodeBytes = 16;
constexpr uint64_t kLeastMapBytes = uint64_t{1} << 20;
constexpr std::string_view kHex = "0123456789abcdef";

class LmdbWriter final : public EntryWriter {
 public:
  LmdbWriter(const ByteSink& out, uint64_t map_bytes) : out_(out) {
    buffer_ =
        fmt::format("VERSION=3\nformat=bytevalue\ntype=btree\nmapsize={}\nHEADER=END\n", map_bytes);
  }

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    if (key.inode.attributes.IsDirectory()) return {};
    if (!key.inode.attributes.IsRegular()) {
      LeaveOut(path, "an LMDB dump holds only keys and values");
      return {};
    }
    if (path.size() > kMaxKeyBytes) {
      LeaveOut(path, fmt::format("LMDB's keys have at most {} bytes", kMaxKeyBytes));
      return {};
    }
    KVFS_ASSIGN(const std::string value, GetWhole(keys, key.path, kMaxBatchBytes));
    AppendLine(path);
    AppendLine(value);
    return buffer_.size() < kLargeContentBytes ? Result<void>() : Write();
  }

  Result<void> Finish() override {
    buffer_ += "DATA=END\n";
    return Write();
  }

 private:
  void AppendLine(std::string_view bytes) {
    buffer_ += ' ';
    for (const char byte : bytes) {
      buffer_ += kHex[static_cast<unsigned char>(byte) >> 4];
      buffer_ += kHex[static_cast<unsigned char>(byte) & 15];
    }
    buffer_ += '\n';
  }
  Result<void> Write() {
    const std::string full = std::exchange(buffer_, {});
    auto written = out_(AsBytes(full));
    if (!written) NoteFailure();
    return written;
  }

  const ByteSink out_;
  std::string buffer_;
};

}  // namespace

// Pages of a tree filled in any order are at least a third full; pages of values are added, and
// room for copy-on-write.
Result<uint64_t> LmdbMapBytes(Keys& keys, const std::string& top) {
  uint64_t leaves = 0;
  uint64_t pages = 0;
  WalkOptions options;
  options.on_unreadable = [](const std::string&, const Error&) {};
  KVFS_TRY(WalkKeys(
      keys, top,
      [&](const WalkedKey& key) -> Result<Descent> {
        if (!key.inode.attributes.IsRegular()) return Descent::kEnter;
        const uint64_t size = key.inode.size_bytes;
        const bool is_large = size > kMaxLeafBytes;
        leaves += kNodeBytes + key.path.size() + (is_large ? 0 : size);
        if (is_large) pages += (size + kNodeBytes + kPageBytes - 1) / kPageBytes * kPageBytes;
        return Descent::kEnter;
      },
      options));
  const uint64_t bytes = 3 * leaves + pages + pages / 4;
  return (bytes / kLeastMapBytes + 2) * kLeastMapBytes;
}

std::unique_ptr<EntryWriter> MakeLmdbWriter(const ByteSink& out, uint64_t map_bytes) {
  return std::make_unique<LmdbWriter>(out, map_bytes);
}

}  // namespace kvfs::cli
