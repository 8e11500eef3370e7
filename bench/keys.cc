// Values are views into one buffer of noise, each a few bytes further on than the one before, so
// that making one costs 8 bytes of writing whatever its size.
#include "bench/keys.h"

#include <cstring>

namespace kvfs::bench {
namespace {

constexpr size_t kProofBytes = sizeof(uint64_t);

std::string Noise(size_t length) {
  std::string noise(length + kProofBytes, '\0');
  for (size_t at = 0; at < length; at += kProofBytes) {
    const uint64_t word = Mix(~uint64_t{at});
    std::memcpy(noise.data() + at, &word, kProofBytes);
  }
  return noise;
}

}  // namespace

uint64_t NumberIn(std::string_view key) {
  uint64_t number = 0;
  for (const char digit : key) number = number * 10 + static_cast<uint64_t>(digit - '0');
  return number;
}

Values::Values(size_t value_bytes)
    : value_bytes_(value_bytes), noise_(Noise(value_bytes + kSlots * kProofBytes)) {}

std::string_view Values::Make(uint64_t number) {
  // The proof of one value lies in the noise of those before it, where nobody looks at it.
  char* const begin = noise_.data() + kProofBytes * (turn_++ % kSlots);
  const uint64_t proof = Mix(number);
  std::memcpy(begin, &proof, kProofBytes);
  return {begin, value_bytes_};
}

bool Proves(std::string_view value, uint64_t number, size_t value_bytes) {
  uint64_t proof = 0;
  if (value.size() != value_bytes) return false;
  std::memcpy(&proof, value.data(), kProofBytes);
  return proof == Mix(number);
}

}  // namespace kvfs::bench
