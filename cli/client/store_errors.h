// Explains a store's errors in terms on which the user can act.
#pragma once

#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"

namespace kvfs::cli {

// Explains an error of Open or Create.
CommandError ExplainStoreError(const std::string& store_path, const Error& error);

}  // namespace kvfs::cli
