// `kvfs bench`: shows the store's speed on this disk and by this way of access, which
// cli/commands/bench_steps.h measures.
//
// The output describes each step, since only equal steps can be compared. For a comparison with
// other stores, see tools/bench.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/paths.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/base/whole_number.h"
#include "cli/commands/bench_steps.h"
#include "cli/commands/bench_target.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/mount_watch.h"

namespace kvfs::cli {
namespace {

struct BenchArguments {
  std::string where = ".";
  uint64_t values = 10'000;
  uint64_t bytes = 100;
  bool json = false;
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
  const Bench bench(target, arguments.values, arguments.bytes);
  Json report;
  SetBytes(report, "where", arguments.where);
  report["kind"] = target.Kind();
  report["value_bytes"] = arguments.bytes;
  report["steps"] = Json::array();
  if (!arguments.json) {
    fmt::print("{} ({}), values of {} bytes, one thread\n", ShownName(stdout, arguments.where),
               target.Kind(), arguments.bytes);
  }
  for (const BenchStep& step : bench.steps()) {
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
