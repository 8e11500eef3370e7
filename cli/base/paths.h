// Paths for the command line: absolute, without symbolic links, compared as trees.
#pragma once

#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

// Resolves symbolic links, "." and "..". The last component need not exist or be accessible (a
// mount whose daemon is dead is not), all others must. kNotFound; kNotDirectory; kPermission; kIo;
// the message says why, without the path.
Result<std::string> ResolvePath(const std::string& path);

// The same without accessing the disk, for a path that may lead to a mount that does not answer.
// The result is wrong if the path has symbolic links.
std::string PlainPath(const std::string& path);

// Whether `inner` is `outer` or lies below it. Both absolute and resolved. Pure.
bool IsWithin(std::string_view inner, std::string_view outer);

// The error for an errno, with its text as the message.
Error ErrorOfErrno(int error_number);

}  // namespace kvfs::cli
