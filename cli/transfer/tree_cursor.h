// An open directory that moves through a tree on disk: so a tree of any depth, with paths of any
// length, is walked with two descriptors.
//
// It moves down by name, never through a symbolic link, and up by "..", only to the directory that
// it came from: if directories are moved meanwhile, it fails.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"

namespace kvfs::cli {

class TreeCursor {
 public:
  // Opens the top, which may be a symbolic link. Errors do not name the path: ErrorOfErrno.
  static Result<TreeCursor> Open(const std::string& top);

  // Moves to the directory at `path` below the top: "" is the top.
  Result<void> MoveTo(std::string_view path);
  // Moves one level down, or up.
  Result<void> Enter(const std::string& name);
  Result<void> Leave();

  // Descriptor and path of the current directory.
  int descriptor() const { return directory_.number(); }
  const std::string& path() const { return path_; }

 private:
  struct Level {
    size_t path_bytes;  // of the directory's path
    dev_t device;
    ino_t inode;
  };

  TreeCursor() = default;
  Result<void> Note(size_t path_bytes);

  Descriptor directory_;
  std::string path_;
  std::vector<Level> levels_;  // from the top to the current directory
};

}  // namespace kvfs::cli
