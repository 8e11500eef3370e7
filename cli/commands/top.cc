// `kvfs top`: request rates and latencies of a mount, second by second.
//
// Reads the mount's control directory repeatedly and prints the differences, so the daemon needs no
// more than `cat` does.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/base/aside.h"
#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/shown_text.h"
#include "cli/base/standard_streams.h"
#include "cli/base/terminal.h"
#include "cli/base/waiting.h"
#include "cli/base/whole_number.h"
#include "cli/client/daemon_process.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "fs/fuse/latency_histogram.h"

namespace kvfs::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TopArguments {
  std::string mount_point;
  std::string control = ".kvfs";
  double every_seconds = 1;
  uint64_t times = 0;  // 0: without end
  bool json = false;
};

struct Look {
  Clock::time_point time;
  std::map<std::string, fs::Latencies> messages;  // by request type
};

struct Row {
  std::string kind;
  double per_second = 0;
  fs::Latencies latencies;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

CommandResult<Look> TakeLook(const TopArguments& arguments) {
  const std::string path = arguments.mount_point + "/" + arguments.control + "/stats.json";
  Waiting waiting(
      [&] { return fmt::format("the daemon of {} does not answer", arguments.mount_point); });
  const auto text = DoAside([&] { return ReadFile(path); }, [&] { return waiting.GoesOn(); });
  if (!text) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot read {}: {}", path, text.error().message));
  }
  if (text->empty() && LookAtMount(arguments.mount_point) == MountHealth::kDead) {
    return Fail(ExitCode::kMountPointBad,
                fmt::format("cannot watch {0}: its daemon has died: `kvfs unmount {0}`",
                            arguments.mount_point));
  }
  const Json stats = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!stats.is_object() || !stats.contains("latencies")) {
    return Fail(ExitCode::kMountPointBad,
                fmt::format("cannot read {}: {}; name a mount point of kvfs, and --control if the "
                            "mount's control directory has another name",
                            path,
                            text->empty() ? "there is no such file"
                                          : "these are not the statistics of a mount"));
  }
  Look look{Clock::now(), {}};
  for (const auto& [kind, told] : stats["latencies"].items()) {
    fs::Latencies& latencies = look.messages[kind];
    latencies.sum_ns = static_cast<uint64_t>(told.value("sum_seconds", 0.0) * 1e9);
    const auto buckets = told.value("buckets", std::vector<uint64_t>());
    std::copy_n(buckets.begin(), std::min(buckets.size(), latencies.buckets.size()),
                latencies.buckets.begin());
  }
  return look;
}

// The requests between two looks, the most frequent first.
std::vector<Row> Compare(const Look& before, const Look& now) {
  const double seconds = std::chrono::duration<double>(now.time - before.time).count();
  std::vector<Row> rows;
  for (const auto& [kind, latencies] : now.messages) {
    Row row{kind, 0, latencies};
    if (const auto found = before.messages.find(kind); found != before.messages.end()) {
      for (size_t i = 0; i < row.latencies.buckets.size(); ++i) {
        row.latencies.buckets[i] -= found->second.buckets[i];
      }
    }
    row.per_second = static_cast<double>(row.latencies.Count()) / seconds;
    if (row.latencies.Count() > 0) rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), &Row::per_second);
  return rows;
}

void PrintText(const std::vector<Row>& rows) {
  constexpr double kMicroseconds = 1e6;
  if (IsTerminal(STDOUT_FILENO)) fmt::print("\033[H\033[J");
  fmt::print("{:<16}{:>11}{:>12}{:>12}\n", "message", "per second", "p50 us", "p99 us");
  double all = 0;
  for (const Row& row : rows) {
    fmt::print("{:<16}{:>11.0f}{:>12.1f}{:>12.1f}\n", ShownText(stdout, row.kind), row.per_second,
               row.latencies.QuantileSeconds(0.5) * kMicroseconds,
               row.latencies.QuantileSeconds(0.99) * kMicroseconds);
    all += row.per_second;
  }
  fmt::print("{:<16}{:>11.0f}\n", "all", all);
}

void PrintJson(const std::vector<Row>& rows) {
  Json line = Json::object();
  for (const Row& row : rows) {
    line[row.kind] = {{"per_second", row.per_second},
                      {"p50_seconds", row.latencies.QuantileSeconds(0.5)},
                      {"p99_seconds", row.latencies.QuantileSeconds(0.99)}};
  }
  fmt::print("{}\n", ToLine(line));
}

// The mount point of a store given in place of a mount point. Any other path is returned unchanged:
// looking at its mount reports what is wrong with it.
std::string FindMountPoint(const std::string& place) {
  const auto resolved = ResolvePlace(place);
  const auto table = ReadMountTable();
  if (!resolved || !table || IsServed(*table, *resolved)) return place;
  const auto daemon = DaemonProcess::OfStore(*resolved);
  const auto mount = daemon ? FindMount(*table, daemon->mount_point()) : std::nullopt;
  return mount && mount->type == kMountType ? mount->mount_point : place;
}

CommandResult<> Top(TopArguments arguments) {
  KVFS_TRY(RequireStandardOutput());
  arguments.mount_point = FindMountPoint(arguments.mount_point);
  const Interruption interruption;
  auto before = TakeLook(arguments);
  if (!before) return tl::unexpected(before.error());
  for (uint64_t time = 1; arguments.times == 0 || time <= arguments.times; ++time) {
    std::this_thread::sleep_for(std::chrono::duration<double>(arguments.every_seconds));
    if (IsInterrupted()) return {};
    RenewWaits();
    auto now = TakeLook(arguments);
    if (!now) return tl::unexpected(now.error());
    const std::vector<Row> rows = Compare(*before, *now);
    arguments.json ? PrintJson(rows) : PrintText(rows);
    KVFS_TRY(FlushOutput());
    before = std::move(now);
  }
  return {};
}

}  // namespace

Runner DefineTop(CLI::App& parser) {
  const auto arguments = std::make_shared<TopArguments>();
  parser.add_option("MOUNTPOINT", arguments->mount_point, "A mount point, or a mounted store")
      ->required();
  parser.add_option("--every", arguments->every_seconds, "Seconds between samples")
      ->type_name("SECONDS")
      ->check(Seconds(0.01, 86'400))
      ->capture_default_str();
  parser.add_option("--times", arguments->times, "Number of samples (default: no end)")
      ->type_name("N")
      ->check(WholeNumber(1));
  parser.add_option("--control", arguments->control, "Name of the mount's control directory")
      ->type_name("NAME")
      ->capture_default_str();
  parser.add_flag("--json", arguments->json, "One JSON object a line");
  parser.footer(
      "Shows the requests that the kernel sends to the mount: the rate of each kind, and the "
      "median and 99th percentile of their latency. Calls that the kernel answers from its caches "
      "cause no request.\n"
      "Example: kvfs top ~/kv");
  return [arguments] { return Top(*arguments); };
}

}  // namespace kvfs::cli
