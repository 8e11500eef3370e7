// Generates shell completions and the manual page from the commands' parsers, so that neither is
// written by hand.
#pragma once

#include <string>

namespace kvfs::cli {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();
// kvfs(1), for man(1).
std::string ManualPage();

}  // namespace kvfs::cli
