// Distinguishes the paths after the first from options.

#include <fmt/format.h>

#include "cli/commands/command.h"

namespace kvfs::cli {

CommandResult<> TakeFurtherPaths(const std::vector<std::string>& leftovers,
                                 std::vector<std::string>& paths) {
  bool only_paths = false;
  for (const std::string& leftover : leftovers) {
    if (!only_paths && leftover == "--") {
      only_paths = true;
    } else if (!only_paths && leftover.size() > 1 && leftover.front() == '-') {
      return Fail(ExitCode::kUsage, fmt::format("unknown option {}; a key that begins with a dash "
                                                "goes after \"--\"",
                                                leftover));
    } else {
      paths.push_back(leftover);
    }
  }
  return {};
}

}  // namespace kvfs::cli
