// The meta of a name whose file has several names: a link to the file's own entry.
//
// A file with one name is one entry, under that name. When it gets a second name, its entry moves
// to kSharedDirectory, where its name is the inode number in decimal, and both names become hard
// links to it: entries without content, with this meta (little-endian):
//
//     offset  size    field
//     0       1       version, 2 (attributes have 1)
//     1       1       0
//     2       2       mode: the type of the file, so that a listing can tell it; other bits are 0
//     4       8       inode number
//
// INVARIANT: the entry's `links` is the number of hard links to it. Both change in one batch. When
// only one name is left, the entry stays where it is: moving it back would save a few bytes, but
// cost two more moves for each file that is linked and unlinked again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <kvfs/batch.h>
#include <kvfs/status.h>
#include "fs/inode_info.h"

namespace kvfs::fs {

// Directory for the entries of files with several names.
inline constexpr DirectoryId kSharedDirectory = 3;

struct HardLink {
  InodeNumber inode = 0;
  uint32_t type = 0;  // S_IFMT of the mode; never a directory's

  bool operator==(const HardLink&) const = default;
};

// Whether the meta is that of a hard link, valid or not.
bool IsHardLink(std::string_view meta);

std::string EncodeHardLink(const HardLink& link);
// kCorrupt for bytes that EncodeHardLink does not produce.
Result<HardLink> DecodeHardLink(std::string_view meta);

// The name of the file's entry in kSharedDirectory.
std::string SharedName(InodeNumber inode);

}  // namespace kvfs::fs
