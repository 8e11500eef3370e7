// `kvfs stats`: shows a store's counters, once or repeatedly.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "cli/base/json_text.h"
#include "cli/base/progress.h"
#include "cli/base/standard_streams.h"
#include "cli/base/waiting.h"
#include "cli/base/whole_number.h"
#include "cli/client/maintenance.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"
#include "fs/fuse/statistics.h"

namespace kvfs::cli {
namespace {

struct StatsArguments {
  std::string store;
  bool json = false;
  double every_seconds = 0;
};

void PrintText(const StoreStats& stats) {
  for (const fs::Statistic& row : fs::Statistics()) {
    const uint64_t value = stats.*row.value;
    const bool is_bytes = std::string_view(row.name).find("bytes") != std::string_view::npos;
    fmt::print("{:<22}{:>14}  {}\n", row.name,
               is_bytes ? ReadableBytes(value) : fmt::to_string(value), row.meaning);
  }
}

void PrintJson(const StoreStats& stats) {
  Json line;
  for (const fs::Statistic& row : fs::Statistics()) line[row.name] = stats.*row.value;
  fmt::print("{}\n", ToLine(line));
}

// A store without a daemon is opened for each look only, so that others can use it in between.
CommandResult<> Show(const StatsArguments& arguments, const std::string& store) {
  KVFS_ASSIGN(const auto maintenance, OpenMaintenance(store, "stats", StoreUse::kLookOnly));
  const auto stats = maintenance->GetStats();
  if (!stats) return tl::unexpected(ExplainStoreError(store, stats.error()));
  arguments.json ? PrintJson(*stats) : PrintText(*stats);
  return {};
}

CommandResult<> Stats(const StatsArguments& arguments) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  while (true) {
    RenewWaits();
    const CommandResult<> shown = Show(arguments, store);
    if (!shown || arguments.every_seconds <= 0) return shown;
    KVFS_TRY(FlushOutput());
    std::this_thread::sleep_for(std::chrono::duration<double>(arguments.every_seconds));
    if (!arguments.json) fmt::print("\n");
  }
}

}  // namespace

Runner DefineStats(CLI::App& parser) {
  const auto arguments = std::make_shared<StatsArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser.add_flag("--json", arguments->json, "One JSON object a line");
  parser.add_option("--every", arguments->every_seconds, "Repeat every SECONDS, without end")
      ->type_name("SECONDS")
      ->check(Seconds(0.01, 86'400));
  parser.footer("Example: kvfs stats --every 1 ~/store");
  return [arguments] { return Stats(*arguments); };
}

}  // namespace kvfs::cli
