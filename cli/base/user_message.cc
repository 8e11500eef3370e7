// JOURNAL_STREAM is "DEVICE:INODE" of the stream, in decimal. Processes with another standard error
// inherit it, hence the comparison.

#include "cli/base/user_message.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cli/base/shown_text.h"
#include "cli/base/terminal_colour.h"

namespace kvfs::cli {
namespace {

Colour ColourOf(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return Colour::kError;
    case Severity::kWarning:
      return Colour::kWarning;
    case Severity::kNotice:
      return Colour::kNone;
  }
  return Colour::kNone;
}

}  // namespace

bool StderrIsJournal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::string MessageLine(Severity severity, std::string_view text, std::string_view program) {
  const std::string name = Paint(stderr, ColourOf(severity), fmt::format("{}:", program));
  const std::string priority =
      StderrIsJournal() ? fmt::format("<{}>", static_cast<int>(severity)) : std::string();
  return fmt::format("{}{} {}\n", priority, name, ShownText(stderr, text));
}

void Tell(Severity severity, std::string_view text) {
  const std::string line = MessageLine(severity, text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace kvfs::cli
