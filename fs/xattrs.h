// The extended attributes of one inode, and their encoding in the store.
//
// All extended attributes of an inode are in one entry, {kXattrDirectory, inode number in decimal},
// whose content holds them in ascending order of their names, little-endian:
//
//     offset  size  field
//     0       1     version, 1
//     then for each
//             1     bytes of the name, n: 1 to 255
//             4     bytes of the value, v: at most 65,536
//             n     name
//             v     value
//
// So a file without any has no entry (a flag in its attributes tells), reading them takes one more
// lookup, and removing a file takes one more operation for all of them. A change rewrites all of an
// inode's, which kMaxXattrBytes bounds. While an inode has no name, its entry is
// {kTransientDirectory, "xattrs " and its number}, so that a crash erases both.
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

// Linux's limits for one attribute, and for a list of names; and kvfs's for all of an inode's, as
// stored.
inline constexpr size_t kMaxXattrNameBytes = 255;
inline constexpr size_t kMaxXattrValueBytes = 65'536;
inline constexpr size_t kMaxXattrListBytes = 65'536;
inline constexpr size_t kMaxXattrBytes = size_t{1} << 20;

// Every file has these, which are never listed: the version of its entry in the store (a decimal
// number that grows with each change), and the XXH3 checksum of its content (128 bits, 32
// hexadecimal digits).
inline constexpr std::string_view kVersionXattr = "user.kvfs.version";
inline constexpr std::string_view kChecksumXattr = "user.kvfs.checksum";

using XattrMap = std::map<std::string, std::string, std::less<>>;

std::string EncodeXattrs(const XattrMap& xattrs);
// kCorrupt for bytes that EncodeXattrs does not produce.
Result<XattrMap> DecodeXattrs(std::string_view content);

// kUnsupported for a name outside the known namespaces; kInvalid for a namespace alone;
// kNameTooLong.
Result<void> CheckXattrName(std::string_view name);
// Checks the limits of an inode's attributes: kTooLarge for a value, kNoSpace for the total.
Result<void> CheckXattrs(const XattrMap& xattrs);

}  // namespace kvfs::fs
