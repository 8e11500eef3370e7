// What a file system does otherwise than a store would have it, in a sentence for a person.
//
// docs/design.md tells what is promised where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kvfs::cli {

// By the type that statfs(2) gives; empty where nothing is to be said.
std::string_view CaveatOfFileSystem(uint64_t type);

// The same of the file system that holds `path`, or would hold it; empty if it cannot be asked.
std::string_view CaveatAt(const std::string& path);

}  // namespace kvfs::cli
