// Colours, where somebody looks: on a terminal, unless NO_COLOR is set (no-color.org) or the
// terminal is a "dumb" one. Everywhere else text stays as it is, so that pipes and files get no
// escapes.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace kvfs::cli {

enum class Colour { kNone, kError, kWarning, kGood, kDirectory, kLink, kDevice, kProgram };

// Whether what is written to `stream` shall be coloured.
bool HasColours(std::FILE* stream);

// The text, in the colour if `stream` has colours.
std::string Paint(std::FILE* stream, Colour colour, std::string_view text);

}  // namespace kvfs::cli
