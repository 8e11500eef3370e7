// Paths as the command line needs them: absolute, without symbolic links, compared as trees.
#pragma once

#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

// The path without symbolic links, "." and "..". Its last component need not exist or answer (a
// mount whose daemon is dead does not), all others must. kNotFound; kNotDirectory; kPermission;
// kIo; the message says why, without the path.
Result<std::string> ResolvePath(const std::string& path);

// The same without a look at the disk, for a path that may lead where nobody answers: where it has
// symbolic links, it is another path.
std::string PlainPath(const std::string& path);

// Whether `inner` is `outer` or lies below it. Both absolute and resolved. Pure.
bool IsWithin(std::string_view inner, std::string_view outer);

// An error for `error_number`, with its text as the message.
Error ErrorOfErrno(int error_number);

}  // namespace kvfs::cli
