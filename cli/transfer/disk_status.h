// What the kernel reports of files on disk, in this program's terms: their status as attributes,
// and errors that name the path.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <string>

#include <kvfs/status.h>
#include "fs/attributes.h"

namespace kvfs::cli {

fs::Attributes AttributesOf(const struct stat& status);
uint64_t SizeOf(const struct stat& status);
fs::Timespec FromTimespec(const timespec& time);
timespec ToTimespec(const fs::Timespec& time);

// The error for errno after a call on the path: kNoSpace, or kIo.
tl::unexpected<Error> FailNaming(const std::string& path);
// The error, with the path before its message.
tl::unexpected<Error> FailNaming(const std::string& path, const Error& error);

}  // namespace kvfs::cli
