// `kvfs repair`: copies everything readable of a damaged store into a new one, reports each loss,
// and gives directories whose own entry is lost a name. The damaged store is not changed.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <set>

#include <kvfs/repair.h>
#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"
#include "cli/mounts/lock_file.h"
#include "fs/lost_and_found.h"

namespace kvfs::cli {
namespace {

struct RepairArguments {
  std::string store;
  std::string target;
  bool json = false;
};

// Failed output must not leave a store half repaired: main reports it at the end.
void Say(const std::string& text) { std::fputs(text.c_str(), stdout); }

void PrintEvent(const char* kind, const char* what, const std::string& text, bool json) {
  if (!json) return Say(fmt::format("{}: {}\n", kind, ShownText(stdout, text)));
  Json line;
  line["event"] = kind;
  SetBytes(line, what, text);
  Say(ToLine(line) + "\n");
}

struct Repaired {
  RepairReport report;
  fs::ReattachReport reattached;
};

Result<fs::ReattachReport> ReattachIn(const std::string& target,
                                      const std::set<DirectoryId>& directories, bool json) {
  OpenOptions open;
  open.purpose = CommandPurpose("repair");
  KVFS_ASSIGN(const std::unique_ptr<Store> store, Store::Open(GetPosixEnv(), target, open));
  fs::ReattachOptions options;
  options.owner = {::geteuid(), ::getegid()};
  options.now.seconds = std::time(nullptr);
  options.on_reattached = [&](const std::string& path) {
    PrintEvent("reattached", "path", path, json);
  };
  KVFS_ASSIGN(const fs::ReattachReport report, fs::ReattachLost(*store, directories, options));
  KVFS_TRY(store->Close());
  return report;
}

// `entries` receives the number of entries in the new store.
Result<Repaired> RepairInto(const std::string& store, const std::string& target, bool json,
                            uint64_t& entries) {
  Progress progress(ShownText(stderr, fmt::format("repairing {}", store)));
  std::set<DirectoryId> directories;
  RepairOptions options;
  options.on_loss = [&](const std::string& loss) {
    progress.Clear();
    PrintEvent("lost", "loss", loss, json);
  };
  options.on_progress = [&](const RepairProgress& now) {
    progress.ShowEntries(entries = now.entries);
    return !IsInterrupted();
  };
  options.on_entry = [&](uint64_t directory, uint64_t) { directories.insert(directory); };
  Repaired repaired;
  KVFS_ASSIGN(repaired.report, RepairStore(GetPosixEnv(), store, target, options));
  progress.Clear();
  KVFS_ASSIGN(repaired.reattached, ReattachIn(target, directories, json));
  return repaired;
}

void Print(const Repaired& repaired, const std::string& target, bool json) {
  const RepairReport& report = repaired.report;
  if (!json) {
    return Say(fmt::format("{}: {} entries, {} of contents; {} losses, {} directories reattached\n",
                           ShownName(stdout, target), report.entries,
                           ReadableBytes(report.content_bytes), report.losses,
                           repaired.reattached.directories));
  }
  Json line;
  SetBytes(line, "store", target);
  line["entries"] = report.entries;
  line["content_bytes"] = report.content_bytes;
  line["losses"] = report.losses;
  line["reattached"] = repaired.reattached.directories;
  line["corrected_links"] = repaired.reattached.corrected_links;
  Say(ToLine(line) + "\n");
}

CommandError ExplainRepairError(const std::string& store, const std::string& target,
                                const Error& error, uint64_t entries) {
  if (IsInterrupted() || entries > 0) {
    const std::string reason = IsInterrupted() ? "interrupted by a signal" : error.message;
    return {IsInterrupted() ? ExitCode::kInterrupted : ExitCodeOfStore(error.code),
            fmt::format("cannot repair all of {0} into {1}: {2}; stopped after {3} entries, and "
                        "{1} is not a complete store: remove it before the next repair",
                        store, target, reason, entries)};
  }
  switch (error.code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kUnsupported:
      return ExplainStoreError(store, error);
    case ErrorCode::kInUse:
      return {ExitCode::kStoreInUse, fmt::format("cannot repair the store at {}: {}; end that "
                                                 "process, or unmount the store, first",
                                                 store, error.message)};
    case ErrorCode::kExists:
      return ExplainStoreError(target, error);
    default:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot repair {} into {}: {}", store, target, error.message)};
  }
}

CommandResult<> Repair(const RepairArguments& arguments) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  KVFS_ASSIGN(const auto target, ResolveStore(arguments.target, IfMissing::kCreate));
  const Interruption interruption;
  std::signal(SIGPIPE, SIG_IGN);
  uint64_t entries = 0;
  const auto repaired = RepairInto(store, target, arguments.json, entries);
  if (!repaired) {
    return tl::unexpected(ExplainRepairError(store, target, repaired.error(), entries));
  }
  Print(*repaired, target, arguments.json);
  if (repaired->report.losses == 0) return {};
  return Fail(ExitCode::kWrongKind,
              fmt::format("not all of {} was copied into {}: {} losses, each reported above", store,
                          target, repaired->report.losses));
}

}  // namespace

Runner DefineRepair(CLI::App& parser) {
  const auto arguments = std::make_shared<RepairArguments>();
  parser.add_option("STORE", arguments->store, "The damaged store, not mounted; it is not changed")
      ->required();
  parser.add_option("NEW", arguments->target, "Directory of the new store: absent, or empty")
      ->required();
  parser.add_flag("--json", arguments->json, "One JSON object a line, the report last");
  parser.footer(
      "Losses are reported one per line, and make the status 13; entries whose directory is lost "
      "are put under lost+found.\n"
      "Example: kvfs repair ~/store ~/store.repaired");
  return [arguments] { return Repair(*arguments); };
}

}  // namespace kvfs::cli
