// One open directory in a tree of the disk, that moves: so a tree of any depth is walked with two
// descriptors, and with paths of any length.
//
// It goes down by names, never through a symbolic link, and up by "..", to nothing but the
// directory that it came from: where somebody moves directories meanwhile, it fails.
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
  // At the top, which may be reached through a link. Errors have no path: ErrorOfErrno.
  static Result<TreeCursor> Open(const std::string& top);

  // To the directory of that path below the top: "" is the top.
  Result<void> MoveTo(std::string_view path);
  // One level down, or up.
  Result<void> Enter(const std::string& name);
  Result<void> Leave();

  // Of the directory where it is.
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
  std::vector<Level> levels_;  // from the top down to where it is
};

}  // namespace kvfs::cli
