// Finds the file that a command or a daemon will write, and limits which symbolic links are
// followed: one rule for both.
//
// Links at the end of a path are followed one by one, relative to opened directories, so that a
// name replaced meanwhile leads nowhere else. In a directory that everyone may write to (with the
// sticky bit), a link or file is followed or written only if it belongs to this user or to the
// directory's owner, as with Linux's protected_symlinks, protected_fifos and protected_regular.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include <kvfs/status.h>
#include "cli/base/descriptor.h"

namespace kvfs::cli {

struct OutputTarget {
  Descriptor directory;  // opened
  std::string name;  // in it; not a symbolic link, except in /proc, where it leads to an open file
  std::optional<struct stat> found;  // of the file; nothing if it does not exist
  bool is_of_proc = false;
};

// Whose links are followed in other directories: anyone's, as by a redirection; or, for root, only
// root's, for files that are written long after the path was given.
enum class LinksOf { kAnybody, kRootOnly };

// kIo, with the reason.
Result<OutputTarget> FindOutputTarget(const std::string& path, LinksOf links = LinksOf::kAnybody);

// Only splits the path; follows nothing. kIo.
Result<OutputTarget> SplitTarget(int from, const std::string& path);

Result<std::string> ReadLinkAt(int directory, const std::string& name);

}  // namespace kvfs::cli
