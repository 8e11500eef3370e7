// The worked example of docs/format.md: what the code writes for a small store, piece by piece.
//
// The store has the id 00 01 ... 0f, one shard and pages of 4 KiB. It contains `foo` with the
// content "bar", `big` with 5000 bytes in two blocks, and `sparse` with 40004 bytes, of which one
// block was written, and one only allocated.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace kvfs::format {

// By their names in the document.
std::map<std::string, std::vector<std::byte>> WorkedExample();

}  // namespace kvfs::format
