// The rules of the tree that no compiler enforces: the direction of includes, where the operating
// system and libfuse may be used, and what no file may contain.
//
// A rule examines one file, given as its path from the top of the tree and its text, so that a test
// can pass files that never existed. Findings read like a compiler's: "path:line: what".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kvfs::tidy {

// Every finding in one file, in the order of its lines.
[[nodiscard]] std::vector<std::string> Check(std::string_view path, std::string_view text);

}  // namespace kvfs::tidy
