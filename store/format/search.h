// Searches in ascending numbers that are evenly distributed, like hashes. Pure.
//
// Two interpolations come within a few places of the answer; then a handful of neighbours are
// compared without data-dependent branches, since one branch misprediction costs as much as all of
// these comparisons. If the numbers are not evenly distributed, an exponential and then a binary
// search finds the answer.
//
// (Interpolation search: Peterson 1957; two or so steps suffice for uniform keys: Yao and Yao 1976.
// Growing steps: Bentley and Yao 1976.)
#pragma once

#include <algorithm>
#include <cstdint>

namespace kvfs::format {

// The first index in [low, high) for which `is_it` holds, provided that it holds for all later
// ones; `high` if there is none. Starts at `guess`.
template <typename IsIt>
uint32_t FirstFrom(uint32_t low, uint32_t high, uint32_t guess, IsIt is_it) {
  constexpr uint32_t kFirstStep = 3;
  if (low == high) return low;
  const uint32_t at = std::clamp(guess, low, high - 1);
  if (is_it(at)) {
    high = at;
    for (uint32_t step = kFirstStep; step < high - low; step *= 2) {
      if (!is_it(high - step)) {
        low = high - step + 1;
        break;
      }
      high -= step;
    }
  } else {
    low = at + 1;
    for (uint32_t step = kFirstStep; step < high - low; step *= 2) {
      if (is_it(low + step)) {
        high = low + step;
        break;
      }
      low += step + 1;
    }
  }
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (is_it(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// The first index in [low, high) whose number is not below `wanted`, for numbers that ascend from
// about `first` to about `last`.
template <typename Number, typename NumberAt>
uint32_t FirstNotBelow(uint32_t low, uint32_t high, Number first, Number last, Number wanted,
                       NumberAt number_at) {
  constexpr uint32_t kWindow = 8;
  if (low == high) return low;
  const auto is_it = [&](uint32_t i) { return number_at(i) >= wanted; };
  if (high - low <= kWindow) {
    uint32_t at = low;
    for (uint32_t i = low; i < high; ++i) at += number_at(i) < wanted ? 1 : 0;
    return at;
  }
  // Differences fit a signed number, which the processor converts faster.
  auto difference = [](Number more, Number less) {
    return static_cast<double>(static_cast<int64_t>(more - less));
  };
  const double places = static_cast<double>(high - low) / (difference(last, first) + 1);
  // Also handles NaN, which wrong bounds may produce.
  auto clamped = [&](double at, uint32_t most) {
    return !(at > low) ? low : at >= most ? most : static_cast<uint32_t>(at);
  };
  const uint32_t guess = clamped(low + difference(wanted, first) * places, high - 1);
  const Number found = number_at(guess);
  const double error = wanted >= found ? difference(wanted, found) : -difference(found, wanted);
  const uint32_t begin = clamped(guess + error * places - kWindow / 2, high - kWindow);
  uint32_t at = begin;
  for (uint32_t i = 0; i < kWindow; ++i) at += number_at(begin + i) < wanted ? 1 : 0;
  const bool is_left = at == begin && begin > low && is_it(begin - 1);
  const bool is_right = at == begin + kWindow && at < high && !is_it(at);
  return is_left || is_right ? FirstFrom(low, high, at, is_it) : at;
}

}  // namespace kvfs::format
