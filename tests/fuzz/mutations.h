// Mutations of an input, drawn from a seed: like libFuzzer's, but unguided, and the same in each
// run.
#pragma once

#include <random>

#include "tests/fuzz/target.h"

namespace kvfs::fuzz {

class Mutations {
 public:
  explicit Mutations(uint64_t seed) : random_(seed) {}

  Input Of(const Input& original) {
    Input input = original;
    for (uint64_t i = 1 + Below(4); i > 0; --i) Change(&input);
    return input;
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  void Change(Input* input) {
    if (input->empty()) input->resize(1 + Below(64));
    const size_t at = Below(Below(2) == 0 ? std::min<size_t>(input->size(), 128) : input->size());
    switch (Below(7)) {
      case 0:
        (*input)[at] ^= static_cast<std::byte>(1u << Below(8));
        break;
      case 1:
        (*input)[at] = static_cast<std::byte>(random_());
        break;
      case 2:
        Store(input, at, kEdges[Below(std::size(kEdges))]);
        break;
      case 3:
        Store(input, at, random_() >> Below(64));
        break;
      case 4:
        input->resize(at);
        break;
      case 5:
        input->insert(input->begin() + static_cast<ptrdiff_t>(at), 1 + Below(16),
                      static_cast<std::byte>(random_()));
        break;
      default:  // a piece of it moved
        const size_t from = Below(input->size());
        const size_t length =
            std::min({size_t{1} + Below(32), input->size() - from, input->size() - at});
        const Input piece(input->begin() + static_cast<ptrdiff_t>(from),
                          input->begin() + static_cast<ptrdiff_t>(from + length));
        CopyBytes(input->data() + at, piece);
    }
  }

  // In 1, 2, 4 or 8 bytes.
  void Store(Input* input, size_t at, uint64_t value) {
    std::byte bytes[8];
    StoreLittle(bytes, value);
    const size_t length = std::min<size_t>(size_t{1} << Below(4), input->size() - at);
    CopyBytes(input->data() + at, Bytes(bytes).first(length));
  }

  static constexpr uint64_t kEdges[] = {0,
                                        1,
                                        2,
                                        0x7f,
                                        0x80,
                                        0xff,
                                        0x100,
                                        0x7fff,
                                        0x8000,
                                        0xffff,
                                        0x10000,
                                        0xffffffff,
                                        4096,
                                        uint64_t{1} << 48,
                                        uint64_t{1} << 63,
                                        ~uint64_t{0}};
  std::mt19937_64 random_;
};

}  // namespace kvfs::fuzz
