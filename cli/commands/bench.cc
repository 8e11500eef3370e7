// `kvfs bench`: measures the store's speed on this disk and by this way of access.
//
// One thread runs each operation the requested number of times, and records every latency, so the
// quantiles are exact. The output describes each step, since only equal steps can be compared. For
// a comparison with other stores, see tools/bench.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/paths.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/base/whole_number.h"
#include "cli/commands/bench_target.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/mount_watch.h"

namespace kvfs::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchArguments {
  std::string where = ".";
  uint64_t values = 10'000;
  uint64_t bytes = 100;
  bool json = false;
};

struct Step {
  std::string name;
  std::string meaning;
  uint64_t count = 0;
  std::function<Result<void>(uint64_t index)> work;
};

struct Measured {
  const Step& step;
  double seconds = 0;
  std::vector<double> each_seconds;  // sorted, ascending

  double PerSecond() const { return static_cast<double>(each_seconds.size()) / seconds; }
  double Quantile(double part) const {
    const auto last = static_cast<double>(each_seconds.size() - 1);
    return each_seconds[static_cast<size_t>(part * last)];
  }
};

double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

Result<Measured> Measure(const Step& step, Progress& progress) {
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

class Bench {
 public:
  Bench(BenchTarget& target, const BenchArguments& arguments)
      : target_(target),
        value_(RandomValue(arguments.bytes)),
        buffer_(arguments.bytes, '\0'),
        order_(Shuffled(arguments.values)) {
    const uint64_t count = arguments.values;
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

  const std::vector<Step>& steps() const { return steps_; }

 private:
  Result<void> List(uint64_t expected) {
    KVFS_ASSIGN(const uint64_t count, target_.List());
    if (count == expected) return {};
    return Fail(ErrorCode::kCorrupt,
                fmt::format("a listing has {} names, not {}", count, expected));
  }

  BenchTarget& target_;
  const std::string value_;
  std::string buffer_;
  const std::vector<uint64_t> order_;
  std::vector<Step> steps_;
};

void PrintText(const Measured& measured) {
  constexpr double kMicroseconds = 1e6;
  fmt::print("{:<9}{:>9} times {:>11.0f}/s   p50 {:>9.1f} us   p99 {:>9.1f} us   {}\n",
             measured.step.name, measured.step.count, measured.PerSecond(),
             measured.Quantile(0.5) * kMicroseconds, measured.Quantile(0.99) * kMicroseconds,
             measured.step.meaning);
  std::fflush(stdout);
}

Json ToJson(const Measured& measured) {
  Json out;
  out["step"] = measured.step.name;
  out["count"] = measured.step.count;
  out["seconds"] = measured.seconds;
  out["per_second"] = measured.PerSecond();
  out["p50_seconds"] = measured.Quantile(0.5);
  out["p99_seconds"] = measured.Quantile(0.99);
  return out;
}

CommandResult<> RunOn(BenchTarget& target, const BenchArguments& arguments) {
  const Bench bench(target, arguments);
  Json report;
  SetBytes(report, "where", arguments.where);
  report["kind"] = target.Kind();
  report["value_bytes"] = arguments.bytes;
  report["steps"] = Json::array();
  if (!arguments.json) {
    fmt::print("{} ({}), values of {} bytes, one thread\n", ShownName(stdout, arguments.where),
               target.Kind(), arguments.bytes);
  }
  for (const Step& step : bench.steps()) {
    Progress progress(step.name);
    const auto measured = Measure(step, progress);
    progress.Clear();
    if (!measured) {
      return Fail(
          IsInterrupted() ? ExitCode::kInterrupted : ExitCodeOfKey(measured.error().code),
          fmt::format("cannot {} in {}: {}", step.name, arguments.where, measured.error().message));
    }
    if (arguments.json) {
      report["steps"].push_back(ToJson(*measured));
    } else {
      PrintText(*measured);
    }
  }
  if (arguments.json) fmt::print("{}\n", ToLine(report));
  return {};
}

CommandResult<std::unique_ptr<BenchTarget>> FindTarget(const std::string& where) {
  const auto path = ResolvePlace(where);
  if (!path) {
    return Fail(ExitCodeOfStore(path.error().code),
                fmt::format("cannot use {}: {}", where, path.error().message));
  }
  KVFS_ASSIGN(const auto table, ReadMountTable());
  const auto mount = FindMount(table, *path);
  if (mount && mount->type == kMountType && LookAtMount(*path) == MountHealth::kSilent) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot use {}: its daemon does not answer", *path));
  }
  if (const auto watched = WatchPlace(*path); !watched) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot use {}: {}", *path, watched.error().message));
  }
  if (mount && mount->type == kMountType) return BenchMount(*path);
  const auto is_store = GetPosixEnv().Exists(*path + "/superblock");
  return is_store && *is_store ? BenchKeys(*path) : BenchLibrary(*path);
}

CommandResult<> RunBench(const BenchArguments& arguments) {
  const Interruption interruption;
  KVFS_ASSIGN(const auto target, FindTarget(arguments.where));
  return RunOn(*target, arguments);
}

}  // namespace

Runner DefineBench(CLI::App& parser) {
  const auto arguments = std::make_shared<BenchArguments>();
  parser.add_option(
      "WHERE", arguments->where,
      "A mount point: files in it. A store, mounted or not: keys of it. Another directory: a new "
      "store in it, by the library (default: the working directory)");
  parser.add_option("--values", arguments->values, "Number of values")
      ->check(WholeNumber(1, 100'000'000))
      ->capture_default_str();
  parser.add_option("--bytes", arguments->bytes, "Size of each value")
      ->check(WholeNumber(0, uint64_t{1} << 20))
      ->capture_default_str();
  parser.add_flag("--json", arguments->json, "One JSON object");
  parser.footer(
      "Measures rate, median and 99th percentile latency of puts, gets, listings, synced puts and "
      "deletes, with one thread. Works in a directory of its own and leaves nothing behind. Gets "
      "through a mount reach the store, not the kernel's cache.\n"
      "Example: kvfs bench ~/kv");
  return [arguments] { return RunBench(*arguments); };
}

}  // namespace kvfs::cli
