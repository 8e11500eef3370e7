// Where a file lies that a command or a daemon is to write, with whose links are followed to it:
// the one rule for both.
//
// Links at the end of a path are followed one by one, and what is there is judged from its opened
// directory, so that what somebody puts in the place of a name meanwhile leads nowhere else. In a
// directory that everybody may write to (one with the sticky bit) nothing is followed or written
// that belongs neither to this user nor to the directory's owner, as with Linux's
// protected_symlinks, protected_fifos and protected_regular.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"

namespace kvfs::cli {

struct OutputTarget {
  Descriptor directory;  // an opened one
  std::string name;  // in it; no symbolic link, unless one of /proc, which leads to an open file
  std::optional<struct stat> found;  // of what is there; nothing if there is no such file
  bool is_of_proc = false;
};

// Whose links may be followed in other directories: anybody's, as by a redirection; or by root no
// other user's, for what is written long after somebody has looked at the path.
enum class LinksOf { kAnybody, kRootOnly };

// kIo, with the reason.
Result<OutputTarget> FindOutputTarget(const std::string& path, LinksOf links = LinksOf::kAnybody);

// Taken apart only: nothing is followed. kIo.
Result<OutputTarget> SplitTarget(int from, const std::string& path);

Result<std::string> ReadLinkAt(int directory, const std::string& name);

}  // namespace kvfs::cli
