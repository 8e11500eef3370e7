// Numbers are decimal text; lists are packed into one field, each element with its length.

#include "cli/client/requests.h"

#include <fmt/format.h>

#include <charconv>

namespace kvfs::cli {
namespace {

tl::unexpected<Error> Malformed() {
  return Fail(ErrorCode::kInvalid, "a message between command and daemon is malformed");
}

// Malformed contents of a message: not damage of a store.
template <typename T>
Result<T> Sent(Result<T> decoded) {
  if (decoded) return decoded;
  return Malformed();
}

// Splits a field that Pack made.
class Unpacker {
 public:
  explicit Unpacker(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  Result<std::string_view> Next() {
    const size_t colon = rest_.find(':');
    if (colon == std::string_view::npos) return Malformed();
    KVFS_ASSIGN(const uint64_t length, DecodeNumber(rest_.substr(0, colon)));
    rest_.remove_prefix(colon + 1);
    if (length > rest_.size()) return Malformed();
    const std::string_view field = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return field;
  }
  Result<uint64_t> NextNumber() {
    KVFS_ASSIGN(const std::string_view field, Next());
    return DecodeNumber(field);
  }

 private:
  std::string_view rest_;
};

void Pack(std::string& out, std::string_view field) {
  out += fmt::format("{}:", field.size());
  out += field;
}

}  // namespace

std::string EncodeNumber(uint64_t number) { return std::to_string(number); }

Result<uint64_t> DecodeNumber(std::string_view field) {
  uint64_t number = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, number);
  if (error != std::errc() || stop != end) return Malformed();
  return number;
}

std::string EncodeInode(const fs::InodeInfo& inode) {
  std::string out;
  for (const uint64_t number :
       {inode.number, inode.size_bytes, inode.allocated_bytes, inode.version}) {
    Pack(out, EncodeNumber(number));
  }
  Pack(out, fs::EncodeAttributes(inode.attributes));
  return out;
}

Result<fs::InodeInfo> DecodeInode(std::string_view field) {
  Unpacker fields(field);
  fs::InodeInfo inode;
  KVFS_ASSIGN(inode.number, fields.NextNumber());
  KVFS_ASSIGN(inode.size_bytes, fields.NextNumber());
  KVFS_ASSIGN(inode.allocated_bytes, fields.NextNumber());
  KVFS_ASSIGN(inode.version, fields.NextNumber());
  KVFS_ASSIGN(const std::string_view attributes, fields.Next());
  KVFS_ASSIGN(inode.attributes, Sent(fs::DecodeAttributes(attributes)));
  return inode;
}

void AppendEntry(std::string& entries, std::string_view name, const fs::InodeInfo& inode) {
  Pack(entries, name);
  Pack(entries, EncodeInode(inode));
}

Result<void> DecodeEntries(std::string_view entries, const EntryVisitor& visit) {
  Unpacker fields(entries);
  while (!fields.AtEnd()) {
    KVFS_ASSIGN(const std::string_view name, fields.Next());
    KVFS_ASSIGN(const std::string_view packed, fields.Next());
    KVFS_ASSIGN(const fs::InodeInfo inode, DecodeInode(packed));
    KVFS_TRY(visit(name, inode));
  }
  return {};
}

std::string EncodeChange(const fs::PathOperation& change) {
  std::string out;
  out.reserve(change.data.size() + change.path.size() + 128);
  Pack(out, EncodeNumber(static_cast<uint64_t>(change.kind)));
  Pack(out, change.path);
  Pack(out, change.to);
  Pack(out, EncodeNumber(change.version));
  Pack(out, change.attributes ? fs::EncodeAttributes(*change.attributes) : std::string());
  Pack(out, change.xattrs ? fs::EncodeXattrs(*change.xattrs) : std::string());
  Pack(out, EncodeNumber(change.is_sparse ? 1 : 0));
  Pack(out, EncodeNumber(change.replaces ? 1 : 0));
  Pack(out, change.data);
  return out;
}

Result<fs::PathOperation> DecodeChange(std::string_view field) {
  Unpacker fields(field);
  fs::PathOperation change;
  KVFS_ASSIGN(const uint64_t kind, fields.NextNumber());
  change.kind = static_cast<fs::PathOperation::Kind>(kind);
  KVFS_ASSIGN(change.path, fields.Next());
  KVFS_ASSIGN(change.to, fields.Next());
  KVFS_ASSIGN(change.version, fields.NextNumber());
  KVFS_ASSIGN(const std::string_view attributes, fields.Next());
  if (!attributes.empty()) {
    KVFS_ASSIGN(change.attributes, Sent(fs::DecodeAttributes(attributes)));
  }
  KVFS_ASSIGN(const std::string_view xattrs, fields.Next());
  if (!xattrs.empty()) {
    KVFS_ASSIGN(change.xattrs, Sent(fs::DecodeXattrs(xattrs)));
  }
  KVFS_ASSIGN(const uint64_t is_sparse, fields.NextNumber());
  change.is_sparse = is_sparse != 0;
  KVFS_ASSIGN(const uint64_t replaces, fields.NextNumber());
  change.replaces = replaces != 0;
  KVFS_ASSIGN(change.data, fields.Next());
  return change;
}

}  // namespace kvfs::cli
