// Changes of files by path, for FileSystem::ApplyChanges: atomic together, for programs without a
// mount, or through the daemon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fs/inode_info.h"
#include "fs/xattrs.h"

namespace kvfs::fs {

struct PathOperation {
  enum class Kind : uint8_t {
    // Creates the file or replaces its content; `attributes` may make it a link, fifo or device.
    kPut = 1,
    kAppend,  // to a regular file, which is created if absent
    kDelete,  // of anything but a directory
    // Renames to `to`, and replaces a file there by the rules of rename(2).
    kMove,
    // Gives anything but a directory the additional name `to`; another file loses that name.
    kLink,
    kMakeDirectory,
    kEnsureDirectory,  // the same, but an existing one is kept and gets `attributes`
    kRemoveDirectory,  // if it is empty
    kSetAttributes,    // permissions, owner, times and extended attributes
    // Changes nothing, but makes all changes fail unless the file has `version`, or is absent if
    // that is kAbsent. Must precede the changes of its file.
    kExpect,
  };
  static constexpr uint64_t kAbsent = 0;

  Kind kind = Kind::kPut;
  std::string path;  // from the root, as in fs/path.h
  std::string to;
  std::string data;
  uint64_t version = 0;
  // Attributes of the new entry. Without them, a new file has mode 0666, and a new directory 0777,
  // less the caller's umask, or less what the directory's default list denies; it belongs to the
  // caller. An existing file keeps its own except for the times.
  std::optional<Attributes> attributes;
  // The complete new set of extended attributes; without it, the entry keeps its own.
  std::optional<XattrMap> xattrs;
  // Blocks of zeros in `data` become holes.
  bool is_sparse = false;
  // For kPut, kEnsureDirectory and kLink: an existing entry of another kind, anything but a
  // non-empty directory, is replaced, as by tar(1); and a file with several names loses only this
  // one, so that its other names keep the old content.
  bool replaces = false;
  // For kPut: the file without a name whose content is used instead of `data`; see
  // FileSystem::CreateStagedFile. 0: none.
  InodeNumber staged = 0;
};

// The effect of a change on a name, for invalidating caches.
struct ChangedName {
  InodeNumber parent = 0;
  std::string name;
  InodeNumber inode = 0;    // the name's old inode, or the one that changed; 0: none
  bool is_rebound = false;  // the name has another inode now, or none
};

}  // namespace kvfs::fs
