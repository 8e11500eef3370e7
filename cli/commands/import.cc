// `kvfs import`: imports entries from other formats into a store, thousands in one step.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/base/shown_text.h"
#include "cli/base/standard_streams.h"
#include "cli/base/user_message.h"
#include "cli/client/byte_streams.h"
#include "cli/client/reopened_keys.h"
#include "cli/client/store_place.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"
#include "cli/transfer/import_batch.h"
#include "cli/transfer/json_lines_format.h"
#include "cli/transfer/lmdb_format.h"
#include "cli/transfer/smkv_format.h"
#include "cli/transfer/tar_format.h"
#include "cli/transfer/transfer_format.h"
#include "cli/transfer/tree_format.h"

namespace kvfs::cli {
namespace {

struct ImportArguments {
  std::string format;  // "": not given
  std::string source;
  std::string store;
  std::string into;
  bool create = false;
};

// Opens the stream of a stream format, before the store is touched.
CommandResult<Descriptor> OpenStream(const ImportArguments& arguments, TransferFormat format) {
  if (!IsStream(format)) {
    if (arguments.source != "-") return Descriptor();
    return Fail(ExitCode::kUsage,
                fmt::format("the format {} cannot come from standard input", arguments.format));
  }
  const CommandResult<> open = arguments.source == "-" ? RequireStandardInput() : CommandResult<>();
  if (!open) return tl::unexpected(open.error());
  Descriptor file(arguments.source == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                          : ::open(arguments.source.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.valid()) return file;
  return Fail(ExitCode::kIoFailed,
              fmt::format("cannot read {}: {}", arguments.source, ErrorOfErrno(errno).message));
}

Result<void> ReadAll(const ImportArguments& arguments, TransferFormat format,
                     const Descriptor& file, ReopenedKeys& keys, EntrySink& sink) {
  // The source may be slow.
  const ByteSource stream =
      FromSlowDescriptor(file.number(), arguments.source, [&keys] { keys.LetGo(); });
  switch (format) {
    case TransferFormat::kTree:
      return ReadTree(arguments.source, sink);
    case TransferFormat::kTar:
      return ReadTar(stream, sink);
    case TransferFormat::kJsonLines:
      return ReadJsonLines(stream, sink);
    case TransferFormat::kLmdb:
      return ReadLmdb(stream, sink);
    case TransferFormat::kSmkv:
      return ReadSmkv(arguments.source, sink);
  }
  return {};
}

// Entries read before an error are imported, too, so that the store holds a prefix of the source.
Result<void> ImportInto(const ImportArguments& arguments, TransferFormat format,
                        const Descriptor& file, ReopenedKeys& keys, ImportBatch& batch) {
  auto read = ReadAll(arguments, format, file, keys, batch);
  if (read) return batch.Finish();
  // Even if this fails, the first error is the one to report.
  static_cast<void>(batch.Finish());
  return read;
}

// Without --from, a regular file may be an archive or a value.
CommandResult<> CheckFormat(ImportArguments& arguments) {
  struct stat status {};
  const bool is_there = ::stat(arguments.source.c_str(), &status) == 0;
  if (arguments.format.empty() &&
      ((is_there && !S_ISDIR(status.st_mode)) || arguments.source == "-")) {
    return Fail(ExitCode::kUsage,
                fmt::format("{} is not a directory: give its format with --from tar, jsonl or "
                            "lmdb; --from tree imports it as one key",
                            arguments.source));
  }
  if (arguments.format.empty()) arguments.format = "tree";
  return {};
}

std::string HowFar(const ImportBatch& batch) {
  const Losses& lost = batch.losses();
  if (!lost.any()) return fmt::format("the first {} entries are in the store", batch.applied());
  return fmt::format("{} entries are in the store, {} before the end were left out{}",
                     batch.applied(), lost.entries, OfParts(lost));
}

CommandError ExplainImportError(const ImportArguments& arguments, const ImportBatch& batch,
                                const std::string& store, const Error& error) {
  const bool is_source = error.code == ErrorCode::kInvalid;
  const ExitCode code = IsInterrupted() ? ExitCode::kInterrupted
                        : is_source     ? ExitCode::kUsage
                                        : ExitCodeOfKey(error.code);
  return {code, fmt::format("cannot import all of {} into {}: {}; {}", arguments.source, store,
                            error.message.empty() ? ReasonOfKeyError(error) : error.message,
                            HowFar(batch))};
}

CommandResult<> EnsureStore(const ImportArguments& arguments) {
  if (!arguments.create) return {};
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kCreate));
  return CreateIfMissing(store);
}

CommandResult<> ImportWith(const ImportArguments& arguments, TransferFormat format,
                           const Descriptor& file, ReopenedKeys& keys, const std::string& store) {
  const Interruption interruption;
  Progress progress(ShownText(stderr, fmt::format("importing {}", arguments.source)));
  ImportBatch batch(keys, NormalizeKeyPath(arguments.into), progress);
  const auto imported = ImportInto(arguments, format, file, keys, batch);
  progress.Clear();
  if (!imported) {
    return tl::unexpected(ExplainImportError(arguments, batch, store, imported.error()));
  }
  if (batch.applied() == 0 && !batch.losses().any()) {
    Tell(Severity::kNotice, fmt::format("{} is empty: no entry was imported", arguments.source));
  }
  if (!batch.losses().any()) return {};
  return Fail(
      ExitCode::kWrongKind,
      fmt::format(
          "not all of {} was imported into {}: {} entries are in the store, {} were left out{}",
          arguments.source, store, batch.applied(), batch.losses().entries,
          OfParts(batch.losses())));
}

CommandResult<> Import(ImportArguments& arguments) {
  KVFS_TRY(CheckDirectoryPath(arguments.into));
  const auto answered = AwaitAnswer(arguments.source);
  if (!answered) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot read {}: {}", arguments.source, answered.error().message));
  }
  KVFS_TRY(CheckFormat(arguments));
  const TransferFormat format = *FindTransferFormat(arguments.format);
  KVFS_ASSIGN(const auto file, OpenStream(arguments, format));
  KVFS_TRY(EnsureStore(arguments));
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  ReopenedKeys keys(store, "import");
  // If the store cannot be opened, fail before reading anything.
  if (!keys.Stat("/") && keys.failure()) return tl::unexpected(*keys.failure());
  return FinishKeys(keys, KeysUse::kChange, store,
                    ImportWith(arguments, format, file, keys, store));
}

}  // namespace

Runner DefineImport(CLI::App& parser) {
  const auto arguments = std::make_shared<ImportArguments>();
  parser.add_option("--from", arguments->format, "Format of SOURCE (default: tree)")
      ->check(CLI::IsMember(TransferFormatNames()));
  parser
      .add_option("SOURCE", arguments->source,
                  "A directory; a file, or \"-\" for standard input; the beginning of smkv's files")
      ->required();
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser
      .add_option("--into", arguments->into,
                  "The target directory in the store; created if missing")
      ->type_name("PATH");
  parser.add_flag("--create", arguments->create, "Create the store if there is none");
  parser.footer(
      "Existing entries are replaced as by tar -x, others stay. Hard links and extended attributes "
      "are imported, blocks of zeros become holes. Each entry is imported completely or not at "
      "all. What cannot be imported is reported and left out, and the import continues (status "
      "13); after an error, or a signal (status 15), the entries before it are in the store, and "
      "their number is reported.\n"
      "Example: kvfs import --create /etc ~/store --into etc\n"
      "         ssh host tar c -C /srv . | kvfs import --from tar - ~/store");
  return [arguments] { return Import(*arguments); };
}

}  // namespace kvfs::cli
