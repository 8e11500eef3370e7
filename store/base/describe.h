// Descriptions of entries for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kvfs {

// The name, with unprintable bytes as \xHH.
std::string Readable(std::string_view name);

// For example: entry "foo" of directory 1.
std::string DescribeEntry(uint64_t directory, std::string_view name);

}  // namespace kvfs
