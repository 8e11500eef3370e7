// Orders in which entries are visited: each once in random order, or some far more often than
// others. Both are pure functions of a seed, and need no memory in proportion to the entries.
#pragma once

#include <cstdint>

namespace kvfs::bench {

// The numbers 0 to size - 1 in an order that looks random, each exactly once.
//
// Rounds of a mixing that is one to one on k bits, where 2^k is the next power of two; a result
// that is not below `size` goes through them again until one is.
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed);
  // `index` below size; the result also.
  uint64_t At(uint64_t index) const;

 private:
  uint64_t Mixed(uint64_t x) const;

  const uint64_t size_;
  const uint64_t seed_;
  uint64_t mask_ = 0;
  unsigned shift_ = 1;
};

// Random numbers, uniform: SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  double Fraction();  // at least 0, below 1

 private:
  uint64_t state_;
};

// Numbers below `size` of which the i-th most frequent comes with a probability in proportion to
// 1 / i^0.99, as in YCSB (Cooper et al. 2010; the method is that of Gray et al. 1994). The frequent
// ones lie scattered over the range.
class Zipf {
 public:
  // Takes time in proportion to `size`.
  Zipf(uint64_t size, uint64_t seed);
  uint64_t Next();
  // The rank, 0 for the most frequent, before it is scattered.
  uint64_t NextRank();

 private:
  const uint64_t size_;
  Random random_;
  const Permutation scatter_;
  double zeta_ = 0;
  double alpha_ = 0;
  double eta_ = 0;
};

}  // namespace kvfs::bench
