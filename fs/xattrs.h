// The extended attributes of one inode, and the bytes in which the store keeps them.
//
// All of an inode's lie in one entry, {kXattrDirectory, inode number in decimal}, whose content has
// them in ascending order of their names, little-endian:
//
//     offset  size  field
//     0       1     version, 1
//     then for each
//             1     bytes of the name, n: 1 to 255
//             4     bytes of the value, v: at most 65,536
//             n     name
//             v     value
//
// So a file without any has no entry (its attributes tell), a file with some is read with one more
// lookup, and what takes a file away takes them all with one more operation. A change writes all of
// an inode's anew, which kMaxXattrBytes bounds. While an inode has no name, its entry is
// {kTransientDirectory, "xattrs " and its number}, so that a crash takes both.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <kvfs/batch.h>
#include <kvfs/bytes.h>
#include <kvfs/status.h>

namespace kvfs::fs {

inline constexpr DirectoryId kXattrDirectory = 4;

// Linux's limits for one, and for a list of names; and ours for all of an inode, as stored.
inline constexpr size_t kMaxXattrNameBytes = 255;
inline constexpr size_t kMaxXattrValueBytes = 65'536;
inline constexpr size_t kMaxXattrListBytes = 65'536;
inline constexpr size_t kMaxXattrBytes = size_t{1} << 20;

// Every file has these, in no list: the version of its entry in the store (a decimal number that
// grows with each change), and the XXH3 checksum of its content (128 bits, 32 hexadecimal digits).
inline constexpr std::string_view kVersionXattr = "user.kvfs.version";
inline constexpr std::string_view kChecksumXattr = "user.kvfs.checksum";

using XattrMap = std::map<std::string, std::string, std::less<>>;

std::string EncodeXattrs(const XattrMap& xattrs);
// kCorrupt for bytes that EncodeXattrs does not make.
Result<XattrMap> DecodeXattrs(std::string_view content);

// kUnsupported for a name outside the namespaces that there are; kInvalid for one that is nothing
// but a namespace's; kNameTooLong.
Result<void> CheckXattrName(std::string_view name);
// Whether all of an inode's are within the limits: kTooLarge for a value, kNoSpace for the whole.
Result<void> CheckXattrs(const XattrMap& xattrs);

}  // namespace kvfs::fs
