// Twelve bytes: a version that attributes never have, the type, the inode number.
#include "fs/hard_link.h"

#include <sys/stat.h>

#include <kvfs/bytes.h>

namespace kvfs::fs {
namespace {

constexpr char kVersion = 2;
constexpr size_t kHardLinkBytes = 12;

}  // namespace

bool IsHardLink(std::string_view meta) { return !meta.empty() && meta.front() == kVersion; }

std::string EncodeHardLink(const HardLink& link) {
  std::byte bytes[kHardLinkBytes] = {std::byte{kVersion}};
  StoreLittle(bytes + 2, static_cast<uint16_t>(link.type));
  StoreLittle(bytes + 4, link.inode);
  return std::string(AsText(bytes));
}

Result<HardLink> DecodeHardLink(std::string_view meta) {
  if (meta.size() == kHardLinkBytes) {
    const std::byte* bytes = AsBytes(meta).data();
    const HardLink link = {LoadLittle<uint64_t>(bytes + 4), LoadLittle<uint16_t>(bytes + 2)};
    const bool makes_sense =
        (link.type & ~uint32_t{S_IFMT}) == 0 && !S_ISDIR(link.type) && link.inode >= kFirstId;
    if (makes_sense && EncodeHardLink(link) == meta) return link;
  }
  return Fail(ErrorCode::kCorrupt, "the hard link of a name to its file is malformed");
}

std::string SharedName(InodeNumber inode) { return std::to_string(inode); }

}  // namespace kvfs::fs
