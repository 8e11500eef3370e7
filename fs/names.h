// Valid names of files.
#pragma once

#include <string_view>

#include <kvfs/status.h>

namespace kvfs::fs {

// kNameTooLong above 255 bytes; kInvalid for an empty name, ".", "..", and one with '/' or NUL.
Result<void> CheckName(std::string_view name);

}  // namespace kvfs::fs
