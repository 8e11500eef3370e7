// Reads a value completely before the store is opened, so that a slow source does not keep others
// from the store.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

inline constexpr size_t kMostGatheredBytes = size_t{32} << 20;

// Reads `source` to its end into memory, and bytes beyond kMostGatheredBytes into an unnamed file
// on the disk of the store at `store_path`. Errors of the source or of that file.
Result<ByteSource> GatherInput(const ByteSource& source, const std::string& store_path);

}  // namespace kvfs::cli
