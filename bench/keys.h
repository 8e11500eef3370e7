// The keys of a run, and values that prove whose they are.
//
// A key is a number in 16 decimal digits, so that the order of numbers is the order of keys. The
// entries of a store have even numbers; what is asked for as absent has odd ones, and so lies
// between keys that are there.
//
// A value begins with 8 bytes that follow from its key's number; the rest is noise that no engine
// can compress. Whoever reads checks the size and those 8 bytes: cheap, the same for every engine,
// and enough to notice an engine that returns nothing, or another entry's value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvfs::bench {

inline constexpr size_t kKeyBytes = 16;
inline constexpr size_t kMinValueBytes = 8;

constexpr uint64_t NumberOf(uint64_t entry) { return entry * 2; }
constexpr uint64_t AbsentNumber(uint64_t entry) { return entry * 2 + 1; }

// A hash of 64 bits that changes all over with each bit of its input.
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class KeyText {
 public:
  // `number` below 10^16.
  explicit KeyText(uint64_t number) {
    for (size_t at = kKeyBytes; at-- > 0; number /= 10) {
      digits_[at] = static_cast<char>('0' + number % 10);
    }
  }
  std::string_view view() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, kKeyBytes> digits_;
};

uint64_t NumberIn(std::string_view key);

// Makes values of one size. For one thread.
class Values {
 public:
  explicit Values(size_t value_bytes);

  // The value for a key's number; the rest of its bytes differs with `turn`. A view that is valid
  // for the next kSlots - 1 calls.
  static constexpr size_t kSlots = 4096;
  std::string_view Make(uint64_t number);

 private:
  const size_t value_bytes_;
  size_t turn_ = 0;
  std::string noise_;
};

// Whether a value is one that Values has made for the number.
bool Proves(std::string_view value, uint64_t number, size_t value_bytes);

}  // namespace kvfs::bench
