// The named workloads, and what each of them needs of a store.
//
// Two classes of durability, the same for every engine: *handed over*, when an operation that has
// returned survives the death of the process, and *synced*, when it survives the loss of power.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kvfs::bench {

enum class Action { kPut, kPutBatches, kDelete, kGet, kGetAbsent, kScan, kMixed, kCompact };
enum class Order { kAscending, kRandom };
enum class Start {
  kEmpty,         // a new store
  kLoaded,        // a store loaded for this run alone, since the workload changes it
  kLoadedShared,  // one that is loaded once, for all workloads that only read
};
// What is done before the clock starts, after the store was opened.
enum class WarmUp { kNone, kGets, kScan, kDropCaches };
enum class Durability { kHandedOver, kSynced };

struct Workload {
  std::string_view name;
  std::string_view description;
  Action action;
  Start start = Start::kEmpty;
  Order order = Order::kRandom;
  WarmUp warm_up = WarmUp::kNone;
  Durability durability = Durability::kHandedOver;
  unsigned threads = 1;
};

// In the order in which they are run and shown.
std::span<const Workload> Workloads();
// Fills the stores that the others begin with. Not among Workloads(): nobody asks for it.
const Workload& LoadWorkload();
// Null if there is none of that name.
const Workload* FindWorkload(std::string_view name);

// Sizes of a run.
struct Sizes {
  uint64_t entries = 0;
  uint64_t value_bytes = 0;
  uint64_t max_operations = 0;
  uint64_t synced_operations = 0;
};

// How many operations of a workload are counted: see docs/benchmarks.md.
uint64_t OperationsOf(const Workload& workload, const Sizes& sizes);
// Entries that go into one batch.
uint64_t BatchEntries(uint64_t value_bytes);
// Entries of a data set: as many as asked for, but no more than fit into the limit, and at least 1.
uint64_t CappedEntries(uint64_t entries, uint64_t value_bytes, uint64_t data_limit_bytes);

}  // namespace kvfs::bench
