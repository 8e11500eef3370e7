// The one place where errno enters kvfs.
//
// PosixError turns (operation, path, errno) into an Error: a sentence that names all three, and a
// code for the caller. Nothing else in the store interprets errno, except for ordinary answers of
// calls (EINTR, EOPNOTSUPP, EWOULDBLOCK).
#pragma once

#include <string>
#include <string_view>

#include <kvfs/status.h>
#include "store/env/descriptor.h"

namespace kvfs {

// For example: "cannot open /store/lock: Permission denied".
tl::unexpected<Error> PosixError(std::string_view operation, const std::string& path, int number);

// open(2) with O_CLOEXEC, repeated when a signal interrupts it.
Result<Descriptor> OpenDescriptor(const std::string& path, int flags, std::string_view operation);

}  // namespace kvfs
