// `kvfs compact`: makes the store as small as possible, while others use it.

#include <fmt/format.h>

#include <memory>

#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/client/maintenance.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct CompactArguments {
  std::string store;
  bool json = false;
};

void Print(const std::string& store, uint64_t before, uint64_t after, bool json) {
  if (!json) {
    fmt::print("{}: {} on disk, {} before\n", ShownName(stdout, store), ReadableBytes(after),
               ReadableBytes(before));
    return;
  }
  Json line;
  SetBytes(line, "store", store);
  line["disk_bytes_before"] = before;
  line["disk_bytes"] = after;
  fmt::print("{}\n", ToLine(line));
}

CommandResult<> Compact(const CompactArguments& arguments) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  KVFS_ASSIGN(const auto maintenance, OpenMaintenance(store, "compact", StoreUse::kChange));
  const LastWords words(
      fmt::format("the compaction of {} was interrupted by a signal; nothing is lost, freed space "
                  "stays free, and a daemon that serves the store continues",
                  store));
  const auto compacted = [&]() -> Result<void> {
    KVFS_ASSIGN(const StoreStats before, maintenance->GetStats());
    KVFS_TRY(maintenance->Compact());
    KVFS_ASSIGN(const StoreStats after, maintenance->GetStats());
    KVFS_TRY(maintenance->Finish());
    Print(store, before.disk_bytes, after.disk_bytes, arguments.json);
    return {};
  }();
  if (compacted) return {};
  Error error = compacted.error();
  if (error.code == ErrorCode::kNoSpace) {
    error.message += "; a compaction needs room for a second copy of the trees";
  }
  if (error.code == ErrorCode::kCorrupt) {
    error.message +=
        fmt::format("; `kvfs repair {} NEW` writes what can be read into a new store", store);
  }
  return tl::unexpected(ExplainStoreError(store, error));
}

}  // namespace

Runner DefineCompact(CLI::App& parser) {
  const auto arguments = std::make_shared<CompactArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser.add_flag("--json", arguments->json, "Show the size before and after as JSON");
  parser.footer("Example: kvfs compact ~/store");
  return [arguments] { return Compact(*arguments); };
}

}  // namespace kvfs::cli
