// `kvfs batch`: applies many changes from standard input atomically.

#include <fmt/format.h>

#include <memory>

#include "cli/client/byte_streams.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/batch_lines.h"
#include "cli/transfer/line_reader.h"

namespace kvfs::cli {
namespace {

struct BatchArguments {
  std::string store;
  bool json = false;
};

struct Changes {
  std::vector<fs::PathOperation> changes;
  std::vector<uint64_t> lines;  // the line number of each change
};

CommandError ExplainLine(uint64_t line, const Error& error) {
  return {ExitCode::kUsage,
          fmt::format("line {} of the batch: {}; nothing was changed", line, error.message)};
}

CommandResult<Changes> ReadChanges(bool json) {
  KVFS_ASSIGN(const auto input, FromStandardInput());
  Changes read;
  size_t bytes = 0;
  LineReader lines(input, kMaxBatchBytes);
  while (true) {
    const auto line = lines.Next();
    if (!line) {
      return tl::unexpected(
          CommandError{ExitCodeOfKey(line.error().code),
                       fmt::format("cannot read the batch: {}", line.error().message)});
    }
    if (!*line) return read;
    auto change = json ? ParseBatchJson(**line) : ParseBatchLine(**line);
    if (!change) return tl::unexpected(ExplainLine(lines.number(), change.error()));
    if (!*change) continue;
    bytes += (*change)->data.size();
    if (bytes > kMaxBatchBytes) {
      return Fail(ExitCode::kUsage,
                  "a batch has at most 256 MiB of values; nothing was changed: split it into "
                  "several batches, or put large values separately");
    }
    read.changes.push_back(**std::move(change));
    read.lines.push_back(lines.number());
  }
}

CommandError ExplainRefusal(const Changes& read, size_t failed, const std::string& store,
                            const Error& error) {
  if (failed >= read.changes.size() && error.code == ErrorCode::kTooLarge) {
    return {ExitCode::kUsage,
            fmt::format("cannot apply the batch in {}: its {} changes do not fit in one record of "
                        "the log, which has at most 4 MiB; nothing was changed: split it into "
                        "several batches, or use kvfs import, which does so itself",
                        store, read.changes.size())};
  }
  if (failed >= read.changes.size()) return ExplainKeyError("apply", "the batch", store, error);
  return {ExitCodeOfKey(error.code),
          fmt::format("line {} of the batch, on {}: {}; nothing was changed", read.lines[failed],
                      read.changes[failed].path, ReasonOfChangeError(read.changes[failed], error))};
}

CommandResult<> RunBatch(const BatchArguments& arguments) {
  KVFS_ASSIGN(const auto read, ReadChanges(arguments.json));
  return WithKeys(arguments.store, "batch", KeysUse::kChange,
                  [&](Keys& keys, const std::string& store) -> CommandResult<> {
                    size_t failed = 0;
                    const auto applied = keys.Apply(read.changes, &failed);
                    if (applied) return {};
                    return tl::unexpected(ExplainRefusal(read, failed, store, applied.error()));
                  });
}

}  // namespace

Runner DefineBatch(CLI::App& parser) {
  const auto arguments = std::make_shared<BatchArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_flag("--json", arguments->json,
                  "Lines are JSON objects: {\"op\":\"put\",\"key\":\"foo\",\"value\":\"bar\"}");
  parser.footer(
      "Reads one change per line: put KEY VALUE, append KEY VALUE, del KEY, mv FROM TO, mkdir KEY, "
      "rmdir KEY, expect KEY VERSION, expect KEY absent. Words that contain blanks are written in "
      "double quotes, where \\n, \\t, \\r, \\0, \\\\, \\\" and \\xHH are as in C. Lines that begin "
      "with # are skipped. A batch holds about 4 MiB of names and values of up to 8 KiB (some "
      "40,000 small changes), and up to 256 MiB with larger values. If one change is refused, none "
      "is applied (status 14 for an expectation).\n"
      "Example: printf 'expect lock absent\\nput lock %s\\n' $$ | kvfs batch ~/store");
  return [arguments] { return RunBatch(*arguments); };
}

}  // namespace kvfs::cli
