// The arithmetic of the three generators.
#include "bench/sequences.h"

#include <bit>
#include <cmath>

#include "bench/keys.h"

namespace kvfs::bench {
namespace {

constexpr double kSkew = 0.99;

double Zeta(uint64_t size) {
  double sum = 0;
  for (uint64_t i = 1; i <= size; ++i) sum += 1 / std::pow(static_cast<double>(i), kSkew);
  return sum;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed) : size_(size), seed_(Mix(seed)) {
  const auto bits = static_cast<unsigned>(std::bit_width(size - 1));
  mask_ = bits == 0 ? 0 : ~uint64_t{0} >> (64 - bits);
  shift_ = bits / 2 + 1;
}

// Adding, multiplying by an odd number and x ^= x >> s are one to one on the low bits.
uint64_t Permutation::Mixed(uint64_t x) const {
  for (int round = 0; round < 3; ++round) {
    x = (x + seed_) & mask_;
    x = (x * 0xbf58476d1ce4e5b9) & mask_;
    x ^= x >> shift_;
  }
  return x;
}

uint64_t Permutation::At(uint64_t index) const {
  uint64_t x = Mixed(index);
  while (x >= size_) x = Mixed(x);
  return x;
}

uint64_t Random::Next() {
  const uint64_t number = Mix(state_);
  state_ += 0x9e3779b97f4a7c15;
  return number;
}

double Random::Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

Zipf::Zipf(uint64_t size, uint64_t seed)
    : size_(size), random_(seed), scatter_(size, seed), zeta_(Zeta(size)) {
  alpha_ = 1 / (1 - kSkew);
  eta_ = (1 - std::pow(2 / static_cast<double>(size), 1 - kSkew)) / (1 - Zeta(2) / zeta_);
}

uint64_t Zipf::NextRank() {
  const double fraction = random_.Fraction();
  if (fraction * zeta_ < 1 || size_ == 1) return 0;
  if (fraction * zeta_ < 1 + std::pow(0.5, kSkew) || size_ == 2) return 1;
  const double rank = static_cast<double>(size_) * std::pow(eta_ * fraction - eta_ + 1, alpha_);
  return rank < static_cast<double>(size_) ? static_cast<uint64_t>(rank) : size_ - 1;
}

uint64_t Zipf::Next() { return scatter_.At(NextRank()); }

}  // namespace kvfs::bench
