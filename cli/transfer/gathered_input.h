// A value that is still to come, taken before the store is opened: whoever types it, or computes
// it, keeps nobody from the store.
#pragma once

#include <string>

#include "cli/base/command_result.h"
#include "cli/client/keys.h"

namespace kvfs::cli {

inline constexpr size_t kMostGatheredBytes = size_t{32} << 20;

// Reads `source` to its end, into memory, and what is more than kMostGatheredBytes into a file
// without a name on the disk of the store at `store_path`. Errors of the source or of that file.
Result<ByteSource> GatherInput(const ByteSource& source, const std::string& store_path);

}  // namespace kvfs::cli
