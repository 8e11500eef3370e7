// Changes of files by path, for FileSystem::ApplyChanges: what a program without a mount, or one
// that talks to the daemon, wants to happen together or not at all.
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
    // Creates the file or replaces its content; `attributes` of a link, fifo or device make that.
    kPut = 1,
    kAppend,  // to a regular file, which is created where it is absent
    kDelete,  // of what is not a directory
    // Replaces what has the name `to`, by the rules of rename(2).
    kMove,
    // Gives what is not a directory the further name `to`; another file that has it loses it.
    kLink,
    kMakeDirectory,
    kEnsureDirectory,  // the same, but one that is there will do, and gets `attributes`
    kRemoveDirectory,  // if it is empty
    kSetAttributes,    // permissions, owner, times and extended attributes
    // Changes nothing, but refuses all changes unless the file has `version`, or is absent if that
    // is kAbsent. It stands before the changes of its file.
    kExpect,
  };
  static constexpr uint64_t kAbsent = 0;

  Kind kind = Kind::kPut;
  std::string path;  // from the root, as in fs/path.h
  std::string to;
  std::string data;
  uint64_t version = 0;
  // With those a new entry is made; without, a new file is one of mode 0666, and a directory of
  // 0777, less the caller's umask, or as the directory's default list has it. It belongs to the
  // caller. A file that is there keeps what it has but for its times.
  std::optional<Attributes> attributes;
  // All extended attributes that the entry is to have from now on; without, it keeps those it has.
  std::optional<XattrMap> xattrs;
  // Blocks of zeros in `data` become holes.
  bool is_sparse = false;
  // Of a kPut, kEnsureDirectory and kLink: what has the name and is not of the kind that is to be
  // made gives way, as it does for tar(1): an empty directory, or anything else; and a file with
  // several names loses this one, so that the others keep what they have.
  bool replaces = false;
  // Of a kPut: the file without a name whose content is taken, instead of `data`; see
  // FileSystem::CreateStagedFile. 0: none.
  InodeNumber staged = 0;
};

// What a change did to a name, so that whoever remembers it can forget it.
struct ChangedName {
  InodeNumber parent = 0;
  std::string name;
  InodeNumber inode = 0;    // that had the name, or whose content or attributes changed; 0: none
  bool is_rebound = false;  // the name stands for something else now, or for nothing
};

}  // namespace kvfs::fs
