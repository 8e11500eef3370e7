// The table of workloads and the rules of their sizes.
#include "bench/workload.h"

#include <algorithm>
#include <array>

#include "bench/keys.h"

namespace kvfs::bench {
namespace {

constexpr uint64_t kBatchEntries = 1000;
// A batch of kvfs must fit into one segment of its log, 4 MiB.
constexpr uint64_t kMaxBatchBytes = uint64_t{3} << 20;
// Few enough that most of them still find the cache cold.
constexpr uint64_t kColdGets = 20'000;
// So that synced puts of large values measure the sync, not the disk's bandwidth for minutes.
constexpr uint64_t kMaxSyncedBytes = uint64_t{256} << 20;

constexpr Workload kLoad = {
    .name = "load",
    .description = "put in random order, in batches",
    .action = Action::kPutBatches,
};

constexpr std::array kWorkloads = {
    Workload{
        .name = "fillseq",
        .description = "put one by one, keys ascending, handed over",
        .action = Action::kPut,
        .order = Order::kAscending,
    },
    Workload{
        .name = "fillrandom",
        .description = "put one by one, random order, handed over",
        .action = Action::kPut,
    },
    Workload{
        .name = "fillbatch",
        .description = "put in atomic batches of 1,000, random order, handed over",
        .action = Action::kPutBatches,
    },
    Workload{
        .name = "overwrite",
        .description = "put over entries that are there, random order, handed over",
        .action = Action::kPut,
        .start = Start::kLoaded,
    },
    Workload{
        .name = "getwarm",
        .description = "get, random order, after one pass over all",
        .action = Action::kGet,
        .start = Start::kLoadedShared,
        .warm_up = WarmUp::kGets,
    },
    Workload{
        .name = "getcold",
        .description = "get, random order, from an empty page cache",
        .action = Action::kGet,
        .start = Start::kLoadedShared,
        .warm_up = WarmUp::kDropCaches,
    },
    Workload{
        .name = "getmiss",
        .description = "get keys that are absent, warm",
        .action = Action::kGetAbsent,
        .start = Start::kLoadedShared,
        .warm_up = WarmUp::kGets,
    },
    Workload{
        .name = "scan",
        .description = "all entries in the engine's own order, warm",
        .action = Action::kScan,
        .start = Start::kLoadedShared,
        .warm_up = WarmUp::kScan,
    },
    Workload{
        .name = "mixed95",
        .description = "95% get, 5% put, Zipf 0.99, warm, handed over",
        .action = Action::kMixed,
        .start = Start::kLoaded,
        .warm_up = WarmUp::kGets,
    },
    Workload{
        .name = "delete",
        .description = "delete one by one, random order, handed over",
        .action = Action::kDelete,
        .start = Start::kLoaded,
    },
    Workload{
        .name = "putsync1",
        .description = "put, synced, one thread, into a new store",
        .action = Action::kPut,
        .durability = Durability::kSynced,
    },
    Workload{
        .name = "putsync8",
        .description = "put, synced, eight threads, into a new store",
        .action = Action::kPut,
        .durability = Durability::kSynced,
        .threads = 8,
    },
    Workload{
        .name = "compact",
        .description = "make a loaded store as small as it gets",
        .action = Action::kCompact,
        .start = Start::kLoaded,
    },
};

uint64_t SyncedOperations(const Workload& workload, const Sizes& sizes) {
  const uint64_t fit = std::max(kMaxSyncedBytes / (kKeyBytes + sizes.value_bytes), uint64_t{64});
  const uint64_t operations = std::min(sizes.synced_operations, fit);
  return std::max(operations / workload.threads, uint64_t{1}) * workload.threads;
}

}  // namespace

std::span<const Workload> Workloads() { return kWorkloads; }

const Workload& LoadWorkload() { return kLoad; }

const Workload* FindWorkload(std::string_view name) {
  if (name == kLoad.name) return &kLoad;
  const auto found = std::ranges::find(kWorkloads, name, &Workload::name);
  return found == kWorkloads.end() ? nullptr : &*found;
}

uint64_t OperationsOf(const Workload& workload, const Sizes& sizes) {
  if (workload.durability == Durability::kSynced) return SyncedOperations(workload, sizes);
  const bool whole = workload.start == Start::kEmpty || workload.action == Action::kScan ||
                     workload.action == Action::kCompact;
  if (whole) return sizes.entries;
  const uint64_t asked = workload.warm_up == WarmUp::kDropCaches ? kColdGets : sizes.max_operations;
  return std::min(sizes.entries, asked);
}

uint64_t BatchEntries(uint64_t value_bytes) {
  return std::clamp(kMaxBatchBytes / (kKeyBytes + value_bytes), uint64_t{1}, kBatchEntries);
}

uint64_t CappedEntries(uint64_t entries, uint64_t value_bytes, uint64_t data_limit_bytes) {
  return std::clamp(data_limit_bytes / (kKeyBytes + value_bytes), uint64_t{1}, entries);
}

}  // namespace kvfs::bench
