// `kvfs export`: writes a store, or a directory of it, in a portable format.

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/base/progress.h"
#include "cli/base/shown_text.h"
#include "cli/base/terminal.h"
#include "cli/base/whole_number.h"
#include "cli/client/byte_streams.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"
#include "cli/transfer/exporter.h"
#include "cli/transfer/held_output.h"
#include "cli/transfer/json_lines_format.h"
#include "cli/transfer/lmdb_format.h"
#include "cli/transfer/output_file.h"
#include "cli/transfer/smkv_format.h"
#include "cli/transfer/tar_format.h"
#include "cli/transfer/transfer_format.h"
#include "cli/transfer/tree_format.h"

namespace kvfs::cli {
namespace {

struct ExportArguments {
  std::string format = "tar";
  std::string store;
  std::string target = "-";
  std::string path;
  uint32_t shards = kUsualSmkvShards;
};

CommandResult<> CheckTreeTarget(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directory(path, error);
  if (!error && std::filesystem::is_empty(path, error) && !error) return {};
  const bool is_full = error == std::errc::no_space_on_device;
  return Fail(ExitCodeOfFile(is_full ? ErrorCode::kNoSpace : ErrorCode::kIo),
              fmt::format("cannot export into {}: {}", path,
                          error ? error.message() : "the directory is not empty"));
}

CommandResult<> CheckTarget(const ExportArguments& arguments, TransferFormat format) {
  if (const auto answered = AwaitAnswer(arguments.target); !answered) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot write {}: {}", arguments.target, answered.error().message));
  }
  if (!IsStream(format) && arguments.target == "-") {
    return Fail(ExitCode::kUsage, fmt::format("the format {} needs a TARGET that is not standard "
                                              "output",
                                              arguments.format));
  }
  if (format == TransferFormat::kTar && arguments.target == "-" && IsTerminal(STDOUT_FILENO)) {
    return Fail(ExitCode::kUsage,
                "an archive is not written to a terminal; name a TARGET, or redirect the output");
  }
  return {};
}

Result<std::unique_ptr<EntryWriter>> MakeWriter(const ExportArguments& arguments,
                                                TransferFormat format, const ByteSink& stream,
                                                Keys& keys) {
  switch (format) {
    case TransferFormat::kTree:
      return MakeTreeWriter(arguments.target);
    case TransferFormat::kTar:
      return MakeTarWriter(stream);
    case TransferFormat::kJsonLines:
      return MakeJsonLinesWriter(stream);
    case TransferFormat::kLmdb: {
      KVFS_ASSIGN(const uint64_t map_bytes, LmdbMapBytes(keys, arguments.path));
      return MakeLmdbWriter(stream, map_bytes);
    }
    case TransferFormat::kSmkv:
      return MakeSmkvWriter(arguments.target, arguments.shards);
  }
  return Fail(ErrorCode::kInvalid, "there is no such format");
}

// What an export that failed has left behind: files get their names only when complete.
std::string WhatIsLeft(const ExportArguments& arguments, TransferFormat format) {
  if (format == TransferFormat::kTree) {
    return fmt::format(", and {} holds no complete copy: empty it before the next export",
                       arguments.target);
  }
  if (arguments.target == "-") return ", and what was written is not complete";
  struct stat status {};
  const bool is_stream = ::stat(arguments.target.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  return is_stream ? ", and what was written is not complete" : ", and created no file";
}

CommandResult<> ExplainExportError(const ExportArguments& arguments, TransferFormat format,
                                   const std::string& store, const Error& error, uint64_t written) {
  return Fail(IsInterrupted() ? ExitCode::kInterrupted : ExitCodeOfKey(error.code),
              fmt::format("cannot export all of {}: {}; stopped after {} entries{}", store,
                          error.message, written, WhatIsLeft(arguments, format)));
}

CommandResult<> ExportFrom(Keys& keys, const std::string& store, const ExportArguments& arguments,
                           TransferFormat format, const ByteSink& stream, bool& is_whole) {
  Progress progress(ShownText(stderr, fmt::format("exporting {}", store)));
  const auto writer = MakeWriter(arguments, format, stream, keys);
  if (!writer) return ExplainExportError(arguments, format, store, writer.error(), 0);
  Exporter exporter(keys, **writer, progress);
  const auto done = exporter.Run(NormalizeKeyPath(arguments.path));
  is_whole = done.has_value();
  progress.Clear();
  if (!done) {
    return ExplainExportError(arguments, format, store, done.error(), exporter.written());
  }
  const Losses& lost = (*writer)->losses();
  if (exporter.is_damaged() || (*writer)->has_met_damage()) {
    return Fail(ExitCode::kStoreCorrupt,
                fmt::format("the store {} is damaged: left out {} entries{}, named above; the "
                            "others are exported",
                            store, lost.entries, OfParts(lost)));
  }
  if (!lost.any()) return {};
  return Fail(ExitCode::kWrongKind,
              fmt::format("left out {} entries of {}{}, named above, which the format {} cannot "
                          "hold",
                          lost.entries, store, OfParts(lost), arguments.format));
}

// Opens the output before the store: a FIFO may wait for its reader, and the store must not be kept
// open meanwhile.
CommandResult<> Export(const ExportArguments& arguments) {
  KVFS_TRY(CheckDirectoryPath(arguments.path));
  const TransferFormat format = *FindTransferFormat(arguments.format);
  KVFS_TRY(CheckTarget(arguments, format));
  std::optional<OutputFile> stream;
  if (IsStream(format)) {
    KVFS_ASSIGN(auto opened, OutputFile::Open(arguments.target));
    stream.emplace(std::move(opened));
  }
  const Interruption interruption;
  HeldOutput output(stream ? stream->Sink() : StandardOutput());
  std::string resolved;
  bool is_whole = false;  // except for entries left out, which are reported
  const KeysWork work = [&](Keys& keys, const std::string& store) -> CommandResult<> {
    resolved = store;
    const auto frozen = keys.Freeze();
    if (!frozen) return tl::unexpected(ExplainKeyError("export", "/", store, frozen.error()));
    const auto there = keys.Stat(NormalizeKeyPath(arguments.path));
    if (!there) {
      return tl::unexpected(ExplainKeyError("export", arguments.path, store, there.error()));
    }
    KVFS_TRY(format == TransferFormat::kTree ? CheckTreeTarget(arguments.target)
                                             : CommandResult<>());
    return ExportFrom(keys, store, arguments, format, output.Sink(), is_whole);
  };
  const CommandResult<> exported = WithKeys(arguments.store, "export", KeysUse::kRead, work);
  auto written = output.Finish();
  if (written && is_whole && stream) written = stream->Complete();
  if (!exported || written) return exported;
  return Fail(IsInterrupted() ? ExitCode::kInterrupted : ExitCodeOfKey(written.error().code),
              fmt::format("cannot export all of {}: {}", resolved, written.error().message));
}

}  // namespace

Runner DefineExport(CLI::App& parser) {
  const auto arguments = std::make_shared<ExportArguments>();
  parser.add_option("--to", arguments->format, "Format of the output (default: tar)")
      ->check(CLI::IsMember(TransferFormatNames()));
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser.add_option("TARGET", arguments->target,
                    "A file, \"-\" or nothing for standard output; an empty directory for a tree; "
                    "the beginning of smkv's files; links are followed");
  parser.add_option("--path", arguments->path, "Only this directory or key")->type_name("PATH");
  parser.add_option("--shards", arguments->shards, "For smkv: the number of shards")
      ->check(WholeNumber(1, kMaxWrittenSmkvShards))
      ->capture_default_str();
  parser.footer(
      "Exports the state of the store at one moment, whatever others change meanwhile. A file gets "
      "its name when it is complete; a device, a FIFO or a file with several names is written in "
      "place. What the format cannot hold is left out and reported by name, and the export "
      "continues (status 13).\n"
      "Example: kvfs export ~/store | zstd > store.tar.zst\n"
      "         kvfs export --to jsonl --path jobs ~/store jobs.jsonl");
  return [arguments] { return Export(*arguments); };
}

}  // namespace kvfs::cli
