// Decoding extended attributes trusts nothing: the bytes may come from a damaged or hostile store.
#include "fs/xattrs.h"

#include <array>
#include <optional>

#include "fs/access_list.h"

namespace kvfs::fs {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = 5;  // of each attribute

constexpr std::array<std::string_view, 3> kNamespaces = {"user.", "trusted.", "security."};

size_t EncodedBytes(const XattrMap& xattrs) {
  size_t bytes = 1;
  for (const auto& [name, value] : xattrs) bytes += kHeaderBytes + name.size() + value.size();
  return bytes;
}

struct Taken {
  std::string_view name, value;
};

// Reads one attribute from the front.
std::optional<Taken> Take(std::string_view* content) {
  if (content->size() < kHeaderBytes) return {};
  const std::byte* header = AsBytes(*content).data();
  const auto name_bytes = LoadLittle<uint8_t>(header);
  const auto value_bytes = LoadLittle<uint32_t>(header + 1);
  content->remove_prefix(kHeaderBytes);
  if (name_bytes == 0 || value_bytes > kMaxXattrValueBytes) return {};
  if (content->size() < size_t{name_bytes} + value_bytes) return {};
  const Taken taken = {content->substr(0, name_bytes), content->substr(name_bytes, value_bytes)};
  content->remove_prefix(size_t{name_bytes} + value_bytes);
  return taken;
}

}  // namespace

std::string EncodeXattrs(const XattrMap& xattrs) {
  std::string out;
  out.reserve(EncodedBytes(xattrs));
  out += kVersion;
  for (const auto& [name, value] : xattrs) {
    std::byte header[kHeaderBytes];
    StoreLittle(header, static_cast<uint8_t>(name.size()));
    StoreLittle(header + 1, static_cast<uint32_t>(value.size()));
    out += AsText(header);
    out += name;
    out += value;
  }
  return out;
}

Result<XattrMap> DecodeXattrs(std::string_view content) {
  const auto refuse = [] {
    return Fail(ErrorCode::kCorrupt, "the extended attributes of a file are malformed");
  };
  if (content.empty() || content.front() != kVersion) return refuse();
  content.remove_prefix(1);
  XattrMap xattrs;
  while (!content.empty()) {
    const auto taken = Take(&content);
    if (!taken || (!xattrs.empty() && taken->name <= xattrs.rbegin()->first)) return refuse();
    xattrs.emplace_hint(xattrs.end(), taken->name, taken->value);
  }
  return xattrs;
}

Result<void> CheckXattrName(std::string_view name) {
  if (name.size() > kMaxXattrNameBytes) return Fail(ErrorCode::kNameTooLong);
  if (name == kAccessListXattr || name == kDefaultListXattr) return {};
  for (const std::string_view space : kNamespaces) {
    if (!name.starts_with(space)) continue;
    if (name.size() == space.size()) return Fail(ErrorCode::kInvalid);
    return {};
  }
  return Fail(ErrorCode::kUnsupported);
}

Result<void> CheckXattrs(const XattrMap& xattrs) {
  size_t list_bytes = 0;
  for (const auto& [name, value] : xattrs) {
    if (value.size() > kMaxXattrValueBytes) return Fail(ErrorCode::kTooLarge);
    list_bytes += name.size() + 1;
  }
  if (list_bytes > kMaxXattrListBytes || EncodedBytes(xattrs) > kMaxXattrBytes) {
    return Fail(ErrorCode::kNoSpace, "a file has no room for more extended attributes");
  }
  return {};
}

}  // namespace kvfs::fs
