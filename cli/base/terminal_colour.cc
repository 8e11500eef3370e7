// Escape sequences that every terminal supports: the eight colours, and bold.

#include "cli/base/terminal_colour.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/base/terminal.h"

namespace kvfs::cli {
namespace {

std::string_view Escape(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kError:
      return "\033[1;31m";
    case Colour::kWarning:
      return "\033[33m";
    case Colour::kGood:
    case Colour::kProgram:
      return "\033[32m";
    case Colour::kDirectory:
      return "\033[1;34m";
    case Colour::kLink:
      return "\033[36m";
    case Colour::kDevice:
      return "\033[33m";
  }
  return "";
}

std::string_view FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool HasColours(std::FILE* stream) {
  const std::string_view terminal = FromEnvironment("TERM");
  return FromEnvironment("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb" &&
         IsTerminal(::fileno(stream));
}

std::string Paint(std::FILE* stream, Colour colour, std::string_view text) {
  if (colour == Colour::kNone || !HasColours(stream)) return std::string(text);
  return fmt::format("{}{}\033[0m", Escape(colour), text);
}

}  // namespace kvfs::cli
