// Makes the directories of each turn, loads its store if it needs one, and starts a process for it.
//
//   <directory>/kvfs-store-bench-<pid>/turn           of one turn, removed after it
//   <directory>/kvfs-store-bench-<pid>/loaded-<engine>  for all turns of a data set that only read
//
// Between two turns the file system is synced, so that no engine pays for writes of another.
#include "bench/rounds.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <set>

#include "bench/child.h"
#include "bench/engine.h"
#include "bench/gauges.h"
#include "bench/quantity.h"
#include "bench/stop.h"
#include "bench/workload.h"

namespace kvfs::bench {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> interrupted = false;

// The first signal ends the run in good order, after the turn that it also ends.
void EndOnSignals() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

class Rounds {
 public:
  Rounds(const Options& options, std::string directory)
      : options_(options), directory_(std::move(directory)) {}

  Measurement Take(const Turn& turn) {
    if (turn.data_set != loaded_of_) ForgetLoaded(turn.data_set);
    const Workload& workload = *FindWorkload(turn.workload);
    Measurement result = Failed(turn, "");
    if (workload.warm_up == WarmUp::kDropCaches && !CanDropCaches()) {
      result.failure = "not run: only root can empty the page cache";
      return result;
    }
    std::string store;
    result.failure = Prepare(turn, workload, store);
    if (!result.failure.empty()) return result;
    result = Run(turn, workload, store);
    if (workload.start != Start::kLoadedShared) fs::remove_all(store);
    SyncFileSystem(directory_);
    return result;
  }

 private:
  static Measurement Failed(const Turn& turn, std::string why) {
    return {.engine = turn.engine,
            .workload = turn.workload,
            .entries = turn.data_set.entries,
            .value_bytes = turn.data_set.value_bytes,
            .repetition = turn.repetition,
            .failure = std::move(why)};
  }

  void ForgetLoaded(const DataSet& data_set) {
    for (const std::string& store : loaded_) fs::remove_all(store);
    loaded_.clear();
    loaded_of_ = data_set;
  }

  // Sets `store` to a directory for the turn. Returns why there is none, or nothing.
  std::string Prepare(const Turn& turn, const Workload& workload, std::string& store) {
    const bool shared = workload.start == Start::kLoadedShared;
    store = directory_ + (shared ? "/loaded-" + turn.engine : std::string("/turn"));
    if (shared && loaded_.contains(store)) return {};
    fs::remove_all(store);
    fs::create_directory(store);
    if (workload.start == Start::kEmpty) return {};
    const Measurement load = Run(turn, LoadWorkload(), store);
    SyncFileSystem(directory_);
    if (!load.failure.empty()) return "loading failed: " + load.failure;
    if (shared) loaded_.insert(store);
    return {};
  }

  Measurement Run(const Turn& turn, const Workload& workload, const std::string& store) {
    const Sizes sizes = {.entries = turn.data_set.entries,
                         .value_bytes = turn.data_set.value_bytes,
                         .max_operations = options_.operations,
                         .synced_operations = options_.synced_operations};
    const Job job = {.engine = turn.engine,
                     .workload = std::string(workload.name),
                     .directory = store,
                     .entries = sizes.entries,
                     .value_bytes = sizes.value_bytes,
                     .operations = OperationsOf(workload, sizes),
                     .real_time = options_.real_time,
                     // A load is the same in all repetitions.
                     .seed = workload.name == LoadWorkload().name ? 0 : turn.repetition + 1};
    const ChildOutcome outcome = RunSelf({"--job", ToJson(job)});
    if (!outcome.failure.empty()) return Failed(turn, outcome.failure);
    auto measured = MeasurementFrom(outcome.output);
    if (!measured) return Failed(turn, "gave no result");
    measured->repetition = turn.repetition;
    return *measured;
  }

  const Options& options_;
  const std::string directory_;
  std::set<std::string> loaded_;
  DataSet loaded_of_;
};

void Tell(size_t number, size_t total, const Turn& turn, const Measurement& measured) {
  const std::string figure =
      measured.failure.empty()
          ? ThreeDigits(measured.seconds * 1e6 / static_cast<double>(measured.operations)) + " us"
          : measured.failure;
  fmt::print(stderr, "[{}/{}] {} x {} B, {}, {}: {}\n", number, total,
             WithSeparators(turn.data_set.entries), WithSeparators(turn.data_set.value_bytes),
             turn.workload, turn.engine, figure);
}

bool CanTake(const Turn& turn) { return CanRun(turn.engine, *FindWorkload(turn.workload)); }

}  // namespace

void RunRounds(const Options& options, const std::function<void(const Measurement&)>& done) {
  if (options.real_time && !CanBecomeRealTime()) Stop("--real-time needs root");
  const std::string directory =
      fmt::format("{}/kvfs-store-bench-{}", fs::absolute(options.directory).string(), ::getpid());
  fs::create_directories(directory);
  EndOnSignals();
  {
    Rounds rounds(options, directory);
    const std::vector<Turn> turns = Turns(options, CanTake);
    for (size_t i = 0; i < turns.size() && !interrupted; ++i) {
      const Measurement measured = rounds.Take(turns[i]);
      if (interrupted) break;
      done(measured);
      Tell(i + 1, turns.size(), turns[i], measured);
    }
  }
  fs::remove_all(directory);
}

}  // namespace kvfs::bench
