// The attributes of a file, and their encoding as an entry's meta. (The name of a file with several
// names has another meta: fs/hard_link.h. The first byte distinguishes them.)
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
// A varint holds 7 bits a byte, lowest first; the top bit means that more follow. A `time` is the
// difference to mtime as two varints, seconds and nanoseconds, each zigzag coded (0, -1, 1, -2, ...
// as 0, 1, 2, 3, ...). Every value has a single encoding: overlong varints, fields that could be
// omitted, unknown flags and trailing bytes are refused. A newly written file takes about 20 bytes.
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
  uint64_t device = 0;      // device number of a character or block device (st_rdev)
  bool has_xattrs = false;  // extended attributes, stored in a separate entry
  Timespec atime;           // set at creation and on request, never by reads
  Timespec mtime;
  Timespec ctime;

  bool operator==(const Attributes&) const = default;

  bool IsDirectory() const;
  bool IsRegular() const;
  bool IsSymbolicLink() const;
};

// At most 71 bytes.
std::string EncodeAttributes(const Attributes& attributes);

// kCorrupt for bytes that EncodeAttributes does not produce.
Result<Attributes> DecodeAttributes(std::string_view meta);

}  // namespace kvfs::fs
