// Equal steps can be compared: their values and order are the same in each run.

#include "cli/commands/bench_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>

#include "cli/base/interruption.h"

namespace kvfs::cli {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

// Numbers in random order, the same in each run.
std::vector<uint64_t> Shuffled(uint64_t count) {
  std::vector<uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::shuffle(numbers.begin(), numbers.end(), std::mt19937_64(1));
  return numbers;
}

// Incompressible bytes.
std::string RandomValue(uint64_t bytes) {
  std::mt19937_64 random(2);
  std::string value(bytes, '\0');
  for (char& c : value) c = static_cast<char>(random());
  return value;
}

}  // namespace

Result<Measured> Measure(const BenchStep& step, Progress& progress) {
  Measured measured{step, 0, {}};
  measured.each_seconds.reserve(step.count);
  const auto begin = Clock::now();
  auto before = begin;
  for (uint64_t i = 0; i < step.count; ++i) {
    KVFS_TRY(CheckNotInterrupted());
    KVFS_TRY(step.work(i));
    const auto now = Clock::now();
    measured.each_seconds.push_back(SecondsBetween(before, now));
    progress.ShowEntries(i);
    before = now;
  }
  measured.seconds = SecondsBetween(begin, before);
  std::ranges::sort(measured.each_seconds);
  return measured;
}

Bench::Bench(BenchTarget& target, uint64_t values, uint64_t bytes)
    : target_(target), value_(RandomValue(bytes)), buffer_(bytes, '\0'), order_(Shuffled(values)) {
  const uint64_t count = values;
  const uint64_t synced = std::min<uint64_t>(count, 100);
  steps_ = {
      {"put", "new values", count, [this](uint64_t i) { return target_.Put(order_[i], value_); }},
      {"replace", "existing values", count,
       [this](uint64_t i) { return target_.Put(order_[i], value_); }},
      {"get", "in another order", count,
       [this, count](uint64_t i) { return target_.Get(order_[count - 1 - i], buffer_); }},
      {"list", "all names, repeatedly", 10, [this, count](uint64_t) { return List(count); }},
      {"putsync", "one value, made durable", synced,
       [this](uint64_t i) -> Result<void> {
         KVFS_TRY(target_.Put(order_[i], value_));
         return target_.Sync();
       }},
      {"delete", "all of them", count, [this](uint64_t i) { return target_.Delete(order_[i]); }},
  };
}

Result<void> Bench::List(uint64_t expected) {
  KVFS_ASSIGN(const uint64_t count, target_.List());
  if (count == expected) return {};
  return Fail(ErrorCode::kCorrupt, fmt::format("a listing has {} names, not {}", count, expected));
}

}  // namespace kvfs::cli
