// Colours for terminals, unless NO_COLOR is set (no-color.org) or TERM is "dumb". Elsewhere text is
// unchanged, so that pipes and files get no escape sequences.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace kvfs::cli {

enum class Colour { kNone, kError, kWarning, kGood, kDirectory, kLink, kDevice, kProgram };

// Whether output to `stream` is coloured.
bool HasColours(std::FILE* stream);

// The text, in `colour` if `stream` has colours.
std::string Paint(std::FILE* stream, Colour colour, std::string_view text);

}  // namespace kvfs::cli
