// Escaping as in C.
#include "store/base/describe.h"

namespace kvfs {

std::string Readable(std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char byte : name) {
    const bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
    if (plain) {
      out += byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      out += {'\\', 'x', kHex[value >> 4], kHex[value & 15]};
    }
  }
  return out;
}

std::string DescribeEntry(uint64_t directory, std::string_view name) {
  return "entry \"" + Readable(name) + "\" of directory " + std::to_string(directory);
}

}  // namespace kvfs
