// The loops. Orders are drawn from the job's seed; entries are the same whatever the seed.
#include "bench/driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <thread>
#include <vector>

#include "bench/keys.h"
#include "bench/sequences.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

constexpr uint64_t kPutPercent = 5;
// Seeds of orders that must differ within one job.
constexpr uint64_t kWarmUpOrder = 1'000'000;
constexpr uint64_t kChoices = 2'000'000;

[[noreturn]] void WrongRead(const Job& job, uint64_t number, const char* what) {
  Stop(fmt::format("{}: {}: key {} {}", job.engine, job.workload, number, what));
}

}  // namespace

void Driver::WarmUp() {
  const Permutation order(job_.entries, job_.seed + kWarmUpOrder);
  if (workload_.warm_up == WarmUp::kGets) {
    for (uint64_t i = 0; i < job_.entries; ++i) GetOne(order.At(i));
  }
  if (workload_.warm_up == WarmUp::kScan) Scan();
}

void Driver::Carry() {
  switch (workload_.action) {
    case Action::kPut:
      return workload_.threads == 1 ? Put() : PutFromThreads();
    case Action::kPutBatches:
      return PutBatches();
    case Action::kDelete:
      return Delete();
    case Action::kGet:
      return Get();
    case Action::kGetAbsent:
      return GetAbsent();
    case Action::kScan:
      start_clock_();
      return Scan();
    case Action::kMixed:
      return Mixed();
    case Action::kCompact:
      start_clock_();
      return engine_.Compact();
  }
}

void Driver::GetOne(uint64_t entry) {
  const uint64_t number = NumberOf(entry);
  if (!engine_.Get(KeyText(number).view(), &value_)) WrongRead(job_, number, "is absent");
  if (!Proves(value_, number, job_.value_bytes)) WrongRead(job_, number, "has another value");
}

void Driver::Put() {
  const Permutation order(job_.entries, job_.seed);
  Values values(job_.value_bytes);
  const bool ascending = workload_.order == Order::kAscending;
  start_clock_();
  for (uint64_t i = 0; i < job_.operations; ++i) {
    const uint64_t number = NumberOf(ascending ? i : order.At(i % job_.entries));
    engine_.Put(KeyText(number).view(), values.Make(number));
  }
}

// Each thread puts one entry before the clock starts, so that it is known to the engine.
void Driver::PutFromThreads() {
  const Permutation order(job_.entries, job_.seed);
  const uint64_t share = job_.operations / workload_.threads;
  std::barrier ready(static_cast<std::ptrdiff_t>(workload_.threads) + 1);
  std::barrier go(static_cast<std::ptrdiff_t>(workload_.threads) + 1);
  const auto put_share = [&](uint64_t thread) {
    Values values(job_.value_bytes);
    const auto put = [&](uint64_t i) {
      const uint64_t number = NumberOf(order.At((thread * share + i) % job_.entries));
      engine_.Put(KeyText(number).view(), values.Make(number));
    };
    put(0);
    ready.arrive_and_wait();
    go.arrive_and_wait();
    for (uint64_t i = 0; i < share; ++i) put(i);
  };
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < workload_.threads; ++thread) {
    threads.emplace_back(put_share, thread);
  }
  ready.arrive_and_wait();
  start_clock_();
  go.arrive_and_wait();
  for (std::thread& thread : threads) thread.join();
}

void Driver::PutBatches() {
  const Permutation order(job_.entries, job_.seed);
  Values values(job_.value_bytes);
  const uint64_t batch_entries = BatchEntries(job_.value_bytes);
  std::vector<KeyText> keys;
  std::vector<Pair> pairs;
  keys.reserve(batch_entries);  // pairs point into it
  start_clock_();
  for (uint64_t begin = 0; begin < job_.operations; begin += batch_entries) {
    const uint64_t end = std::min(begin + batch_entries, job_.operations);
    keys.clear();
    pairs.clear();
    for (uint64_t i = begin; i < end; ++i) {
      const uint64_t number = NumberOf(order.At(i));
      keys.emplace_back(number);
      pairs.push_back({keys.back().view(), values.Make(number)});
    }
    engine_.PutBatch(pairs);
  }
}

void Driver::Delete() {
  const Permutation order(job_.entries, job_.seed);
  start_clock_();
  for (uint64_t i = 0; i < job_.operations; ++i) {
    engine_.Delete(KeyText(NumberOf(order.At(i))).view());
  }
}

void Driver::Get() {
  const Permutation order(job_.entries, job_.seed);
  start_clock_();
  for (uint64_t i = 0; i < job_.operations; ++i) GetOne(order.At(i));
}

void Driver::GetAbsent() {
  const Permutation order(job_.entries, job_.seed);
  start_clock_();
  for (uint64_t i = 0; i < job_.operations; ++i) {
    const uint64_t number = AbsentNumber(order.At(i));
    if (engine_.Get(KeyText(number).view(), &value_)) WrongRead(job_, number, "is there");
  }
}

void Driver::Scan() {
  uint64_t visited = 0;
  engine_.Scan([&](std::string_view key, std::string_view value) {
    const uint64_t number = NumberIn(key);
    if (!Proves(value, number, job_.value_bytes)) WrongRead(job_, number, "has another value");
    ++visited;
  });
  if (visited != job_.entries)
    Stop(fmt::format("{}: a scan found {} of {} entries", job_.engine, visited, job_.entries));
}

void Driver::Mixed() {
  Zipf popular(job_.entries, job_.seed);
  std::vector<uint32_t> entries(job_.operations);
  for (uint32_t& entry : entries) entry = static_cast<uint32_t>(popular.Next());
  Random choices(job_.seed + kChoices);
  Values values(job_.value_bytes);
  start_clock_();
  for (const uint32_t entry : entries) {
    if (choices.Below(100) < kPutPercent) {
      engine_.Put(KeyText(NumberOf(entry)).view(), values.Make(NumberOf(entry)));
    } else {
      GetOne(entry);
    }
  }
}

}  // namespace kvfs::bench
