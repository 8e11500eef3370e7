// Describes, in a phrase for people, how a file system differs from what a store needs.
//
// docs/design.md lists what is guaranteed on which file system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kvfs::cli {

// For a type as in statfs(2); empty if there is nothing to report.
std::string_view CaveatOfFileSystem(uint64_t type);

// For the file system that holds `path`, or would hold it; empty if it cannot be determined.
std::string_view CaveatAt(const std::string& path);

}  // namespace kvfs::cli
