// In hexadecimal digits.
#include "tests/fuzz/found.h"

namespace kvfs::fuzz {
namespace {

struct Found {
  std::string_view target;
  std::string_view what;
  std::string_view hex;
};

constexpr Found kFound[] = {
    {"allocation_map", "number 0, which a bitmap called used, was freed and given out",
     "000004000000020100060b1015621a2e1f241e29712e33384829132e33393d42474c51565b60990b10151a1f"
     "241a1f514c5b7065386f74797e83888d000000000000000092979c"},
};

std::byte Digit(char c) { return static_cast<std::byte>(c <= '9' ? c - '0' : c - 'a' + 10); }

Input FromHex(std::string_view hex) {
  Input input;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    input.push_back(Digit(hex[i]) << 4 | Digit(hex[i + 1]));
  }
  return input;
}

}  // namespace

std::vector<Input> FoundInputs(std::string_view target) {
  std::vector<Input> inputs;
  for (const Found& found : kFound) {
    if (found.target == target) inputs.push_back(FromHex(found.hex));
  }
  return inputs;
}

}  // namespace kvfs::fuzz
