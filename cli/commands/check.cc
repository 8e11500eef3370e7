// `kvfs check`, and fsck.kvfs: checks a store's consistency. Changes nothing.
//
// The exit status is that of fsck(8): 0 sound, 4 damage (which `kvfs repair` handles), 8 the check
// failed, 16 usage, 32 ended by a signal. See FsckStatus in exit_codes.h.

#include <fmt/format.h>

#include <memory>

#include "cli/base/interruption.h"
#include "cli/base/json_text.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/base/terminal_colour.h"
#include "cli/client/maintenance.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct CheckArguments {
  std::string store;
  bool json = false;
};

std::string_view NameOf(CheckFinding::Kind kind) {
  switch (kind) {
    case CheckFinding::Kind::kDamage:
      return "damage";
    case CheckFinding::Kind::kLostSpace:
      return "space";
    case CheckFinding::Kind::kNote:
      return "note";
  }
  return "";
}

Colour ColourOf(CheckFinding::Kind kind) {
  switch (kind) {
    case CheckFinding::Kind::kDamage:
      return Colour::kError;
    case CheckFinding::Kind::kLostSpace:
      return Colour::kWarning;
    case CheckFinding::Kind::kNote:
      return Colour::kNone;
  }
  return Colour::kNone;
}

void PrintFinding(const CheckFinding& finding, bool json) {
  if (!json) {
    const std::string kind = fmt::format("{}:", NameOf(finding.kind));
    fmt::print("{} {}\n", Paint(stdout, ColourOf(finding.kind), kind),
               ShownText(stdout, finding.message));
    return;
  }
  Json line;
  line["finding"] = NameOf(finding.kind);
  SetBytes(line, "message", finding.message);
  fmt::print("{}\n", ToLine(line));
}

void PrintReport(const CheckReport& report, const std::string& store, bool json) {
  if (!json) {
    fmt::print(
        "{}: {}: {} entries, {} pages, {} blocks; {} damaged, {} space errors, {} notes; "
        "looked at: the newest checkpoint, of {} entries, and {} log records since, which "
        "change {}\n",
        ShownName(stdout, store),
        report.IsSound() ? Paint(stdout, Colour::kGood, "sound")
                         : Paint(stdout, Colour::kError, "not sound"),
        report.entries, report.pages, report.blocks, report.damages, report.space_findings,
        report.notes, report.checkpoint_entries, report.log_records, report.log_entries);
    return;
  }
  Json line;
  SetBytes(line, "store", store);
  line["sound"] = report.IsSound();
  line["entries"] = report.entries;
  line["checkpoint_entries"] = report.checkpoint_entries;
  line["log_records"] = report.log_records;
  line["log_entries"] = report.log_entries;
  line["pages"] = report.pages;
  line["blocks"] = report.blocks;
  line["damages"] = report.damages;
  line["space_findings"] = report.space_findings;
  line["notes"] = report.notes;
  fmt::print("{}\n", ToLine(line));
}

CommandResult<> TellDamage(const CheckReport& report, const std::string& store) {
  if (report.IsSound()) return {};
  if (report.damages > 0) {
    return Fail(ExitCode::kStoreCorrupt,
                fmt::format("the store at {0} is damaged; `kvfs repair {0} NEW` writes what can be "
                            "read of it into a new one",
                            store));
  }
  return Fail(ExitCode::kStoreCorrupt,
              fmt::format("the store at {0} has wrong space accounting, but no data is lost; `kvfs "
                          "repair {0} NEW` writes it anew",
                          store));
}

CommandResult<> ExplainInterruption(const std::string& store, const CheckProgress& done,
                                    uint64_t found) {
  return Fail(ExitCode::kInterrupted,
              fmt::format("the check of {} was interrupted by a signal, after {} of {}: {}", store,
                          ReadableBytes(done.bytes_checked), ReadableBytes(done.bytes_total),
                          found == 0 ? "nothing was found until then"
                                     : "findings until then are shown above"));
}

CommandResult<> Check(const CheckArguments& arguments) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  KVFS_ASSIGN(const auto maintenance, OpenMaintenance(store, "check", StoreUse::kLookOnly));
  Progress progress(ShownText(stderr, fmt::format("checking {}", store)));
  CheckProgress done;
  uint64_t found = 0;
  CheckOptions options;
  options.on_finding = [&](const CheckFinding& finding) {
    progress.Clear();
    ++found;
    PrintFinding(finding, arguments.json);
  };
  options.on_progress = [&](const CheckProgress& now) {
    progress.ShowBytes(now.bytes_checked, now.bytes_total);
    done = now;
    return !IsInterrupted();
  };
  const Interruption interruption;
  const auto report = maintenance->Check(options);
  if (IsInterrupted() && (!report || !report->complete)) {
    progress.Clear();
    return ExplainInterruption(store, done, found);
  }
  if (!report) return tl::unexpected(ExplainStoreError(store, report.error()));
  progress.Clear();
  PrintReport(*report, store, arguments.json);
  return TellDamage(*report, store);
}

}  // namespace

Runner DefineCheck(CLI::App& parser) {
  const auto arguments = std::make_shared<CheckArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser.add_flag("--json", arguments->json, "One JSON object a line, the report last");
  parser.footer(
      "Exit status as fsck's: 0 sound, 4 not sound, 8 it could not be checked, 16 usage, "
      "32 ended by a signal.\n"
      "Example: kvfs check ~/store");
  return [arguments] { return Check(*arguments); };
}

}  // namespace kvfs::cli
