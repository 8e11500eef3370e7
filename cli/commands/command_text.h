// What the parsers of the commands know, as completions for shells and as a manual page: both come
// from the table of commands and are never written by hand.
#pragma once

#include <string>

namespace kvfs::cli {

std::string BashCompletion();
std::string ZshCompletion();
std::string FishCompletion();
// kvfs(1), for man(1).
std::string ManualPage();

}  // namespace kvfs::cli
