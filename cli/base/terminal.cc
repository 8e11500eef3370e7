// The kernel itself knows where an open file is.
#include "cli/base/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "cli/base/paths.h"

namespace kvfs::cli {

bool IsTerminal(int file) {
  std::error_code error;
  const auto place = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file), error);
  if (!error && !IsWithin(place.string(), "/dev")) return false;
  return ::isatty(file) == 1;
}

}  // namespace kvfs::cli
