// The failure of a command: an exit code for the calling script, and one sentence for the user:
// what failed, on what, why, and what to do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include <kvfs/status.h>
#include "cli/base/exit_codes.h"

namespace kvfs::cli {

struct CommandError {
  ExitCode code;
  // Without the leading "kvfs: " and without a final newline.
  std::string text;
};

// KVFS_TRY and KVFS_ASSIGN propagate its errors, as they do those of a Result.
template <typename T = void>
using CommandResult = tl::expected<T, CommandError>;

[[nodiscard]] inline tl::unexpected<CommandError> Fail(ExitCode code, std::string text) {
  return tl::unexpected<CommandError>(CommandError{code, std::move(text)});
}

}  // namespace kvfs::cli
