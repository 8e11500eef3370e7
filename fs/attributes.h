// The attributes of a file, and the bytes in which the store keeps them as an entry's meta. (The
// name of a file with several names has something else there: fs/hard_link.h. The first byte
// tells.)
//
// Layout, little-endian; optional fields stand in this order, each only if its flag is set:
//
//     offset  size    field
//     0       1       version, 1
//     1       1       flags: 1 owner, 2 links, 4 atime, 8 ctime, 16 device, 32 extended
//                     attributes (which have no field here: fs/xattrs.h); others are 0
//     2       2       mode: type and permissions, as in stat(2)
//     4       8       mtime, seconds since 1970 (two's complement)
//     12      4       mtime, nanoseconds, below 10^9
//     16      varint  uid, varint gid       left out where both are 0
//             varint  links                 left out where 2 for a directory, 1 for others
//             time    atime                 left out where equal to mtime
//             time    ctime                 left out where equal to mtime
//             varint  device number         left out where 0
//
// A varint holds 7 bits a byte, lowest first, the top bit telling that more follow. A `time` is the
// difference to mtime as two varints, seconds and nanoseconds, each zigzag coded (0, -1, 1, -2, ...
// as 0, 1, 2, 3, ...). Every value has one encoding only: longer varints, fields that could be left
// out, unknown flags and bytes left over are refused. A file just written takes about 20 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::fs {

struct Timespec {
  int64_t seconds = 0;       // since 1970
  uint32_t nanoseconds = 0;  // below 10^9

  bool operator==(const Timespec&) const = default;
};

struct Attributes {
  uint32_t mode = 0;   // type (S_IFMT) and permissions, as in stat(2); 16 bits
  uint32_t links = 1;  // names; of a directory: 2 and its subdirectories; 0 once unlinked
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t device = 0;      // what a character or block device stands for (st_rdev)
  bool has_xattrs = false;  // extended attributes, which lie in an entry of their own
  Timespec atime;           // set at creation and on request, never by reads
  Timespec mtime;
  Timespec ctime;

  bool operator==(const Attributes&) const = default;

  bool IsDirectory() const;
  bool IsRegular() const;
  bool IsSymbolicLink() const;
};

// Returns the bytes; at most 71.
std::string EncodeAttributes(const Attributes& attributes);

// kCorrupt for bytes that EncodeAttributes does not make.
Result<Attributes> DecodeAttributes(std::string_view meta);

}  // namespace kvfs::fs
