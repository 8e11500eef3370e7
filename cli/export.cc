// `kvfs export`: a store, or a directory of it, in a form that others read.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/byte_streams.h"
#include "cli/command.h"
#include "cli/descriptor.h"
#include "cli/interruption.h"
#include "cli/json_lines_format.h"
#include "cli/lmdb_format.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/smkv_format.h"
#include "cli/tar_format.h"
#include "cli/transfer_format.h"
#include "cli/tree_format.h"
#include "cli/with_keys.h"

namespace kvfs::cli {
namespace {

struct ExportArguments {
  std::string format = "tar";
  std::string store;
  std::string target = "-";
  std::string path;
  uint32_t shards = 8;
};

// Where a stream goes: standard output, or a file that gets its name when it is complete.
class StreamTarget {
 public:
  static Answer<StreamTarget> Open(const std::string& path) {
    StreamTarget target;
    if (path == "-") {
      target.file_ = Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    } else {
      target.path_ = path;
      target.partial_ = path + ".partial";
      target.file_ = Descriptor(
          ::open(target.partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    }
    if (target.file_.valid()) return target;
    return Stop(ExitCode::kIoFailed,
                fmt::format("cannot write {}: {}", path, ErrorOfErrno(errno).message));
  }
  StreamTarget(StreamTarget&&) = default;
  ~StreamTarget() {
    if (file_.valid() && !partial_.empty()) ::unlink(partial_.c_str());
  }

  int descriptor() const { return file_.number(); }

  Result<void> Complete() {
    if (partial_.empty()) return {};
    if (::fsync(file_.number()) != 0 || ::rename(partial_.c_str(), path_.c_str()) != 0) {
      return Fail(ErrorCode::kIo, fmt::format("{}: {}", path_, ErrorOfErrno(errno).message));
    }
    partial_.clear();
    return {};
  }

 private:
  StreamTarget() = default;

  Descriptor file_;
  std::string path_;
  std::string partial_;
};

Outcome CheckTreeTarget(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directory(path, error);
  if (!error && std::filesystem::is_empty(path, error) && !error) return {};
  return Stop(ExitCode::kIoFailed,
              fmt::format("cannot export into {}: {}", path,
                          error ? error.message() : "the directory is not empty"));
}

Outcome CheckTarget(const ExportArguments& arguments, TransferFormat format) {
  if (!IsStream(format) && arguments.target == "-") {
    return Stop(ExitCode::kUsage, fmt::format("the format {} needs a TARGET that is not standard "
                                              "output",
                                              arguments.format));
  }
  if (format == TransferFormat::kTar && arguments.target == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return Stop(ExitCode::kUsage,
                "an archive is nothing for a terminal; name a TARGET, or send it "
                "into a pipe");
  }
  return format == TransferFormat::kTree ? CheckTreeTarget(arguments.target) : Outcome();
}

Result<std::unique_ptr<EntryWriter>> MakeWriter(const ExportArguments& arguments,
                                                TransferFormat format, int stream) {
  switch (format) {
    case TransferFormat::kTree:
      return MakeTreeWriter(arguments.target);
    case TransferFormat::kTar:
      return MakeTarWriter(stream);
    case TransferFormat::kJsonLines:
      return MakeJsonLinesWriter(ToDescriptor(stream, arguments.target));
    case TransferFormat::kLmdb:
      return MakeLmdbWriter(ToDescriptor(stream, arguments.target));
    case TransferFormat::kSmkv:
      return MakeSmkvWriter(arguments.target, arguments.shards);
  }
  return Fail(ErrorCode::kInvalid, "there is no such format");
}

// Names that a program's Put has made, and that lead elsewhere on a disk.
bool LeadsElsewhere(std::string_view name) {
  return name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
         name.find('\0') != std::string_view::npos;
}

// Paths are told as from the directory that is exported; a single key by its name.
Result<void> WriteAll(Keys& keys, const std::string& top, EntryWriter& writer, Progress& progress,
                      uint64_t& written) {
  KVFS_ASSIGN(const fs::InodeInfo inode, keys.Stat(top));
  if (inode.attributes.IsDirectory()) KVFS_TRY(writer.Add(keys, {top, "", inode}, ""));
  const size_t prefix =
      inode.attributes.IsDirectory() ? (top.empty() ? 0 : top.size() + 1) : top.rfind('/') + 1;
  const auto walked = WalkKeys(keys, top, [&](const WalkedKey& key) -> Result<Descent> {
    if (LeadsElsewhere(key.name)) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}: no file can have this name", key.path));
    }
    KVFS_TRY(CheckNotInterrupted());
    auto added = writer.Add(keys, key, key.path.substr(prefix));
    if (!added) {
      Error error = std::move(added).error();
      if (error.message.find(key.path) == std::string::npos) {
        error.message = fmt::format("{}: {}", key.path, ReasonOfKeyError(error));
      }
      return tl::unexpected(std::move(error));
    }
    progress.ShowEntries(++written);
    return Descent::kEnter;
  });
  return walked ? writer.Finish() : walked;
}

Outcome ExportFrom(Keys& keys, const std::string& store, const ExportArguments& arguments,
                   TransferFormat format, std::optional<StreamTarget>& stream) {
  Progress progress(fmt::format("exporting {}", store));
  uint64_t written = 0;
  const auto writer = MakeWriter(arguments, format, stream ? stream->descriptor() : -1);
  Result<void> done;
  if (writer) {
    done = WriteAll(keys, NormalizeKeyPath(arguments.path), **writer, progress, written);
    if (done && stream) done = stream->Complete();
  } else {
    done = tl::unexpected(writer.error());
  }
  progress.Clear();
  if (!done) {
    return Stop(IsInterrupted() ? ExitCode::kInterrupted : ExitCodeOfKey(done.error().code),
                fmt::format("cannot export all of {}: {}; stopped after {} entries", store,
                            done.error().message, written));
  }
  if ((*writer)->skipped() == 0) return {};
  return Stop(ExitCode::kWrongKind,
              fmt::format("left out {} entries of {}, named above, which the format {} cannot hold",
                          (*writer)->skipped(), store, arguments.format));
}

Outcome Export(const ExportArguments& arguments) {
  const Outcome valid = CheckDirectoryPath(arguments.path);
  if (!valid) return valid;
  const TransferFormat format = *FindTransferFormat(arguments.format);
  return WithKeys(arguments.store, "export", [&](Keys& keys, const std::string& store) -> Outcome {
    const Interruption interruption;
    const auto frozen = keys.Freeze();
    if (!frozen) return tl::unexpected(ExplainKeyError("export", "/", store, frozen.error()));
    const auto there = keys.Stat(NormalizeKeyPath(arguments.path));
    if (!there) {
      return tl::unexpected(ExplainKeyError("export", arguments.path, store, there.error()));
    }
    const Outcome possible = CheckTarget(arguments, format);
    if (!possible) return possible;
    std::optional<StreamTarget> stream;
    if (IsStream(format)) {
      auto opened = StreamTarget::Open(arguments.target);
      if (!opened) return tl::unexpected(opened.error());
      stream.emplace(*std::move(opened));
    }
    return ExportFrom(keys, store, arguments, format, stream);
  });
}

}  // namespace

Runner DefineExport(CLI::App& parser) {
  const auto arguments = std::make_shared<ExportArguments>();
  parser.add_option("--to", arguments->format, "What to write: a tar archive unless told")
      ->check(CLI::IsMember(TransferFormatNames()));
  parser.add_option("STORE", arguments->store, "Directory of the store, mounted or not")
      ->required();
  parser.add_option("TARGET", arguments->target,
                    "A file, \"-\" or nothing for standard output; an empty directory for a tree; "
                    "the beginning of smkv's files");
  parser.add_option("--path", arguments->path, "Only this directory, or key, of the store")
      ->type_name("PATH");
  parser.add_option("--shards", arguments->shards, "smkv: into how many shards")
      ->check(CLI::Range(1U, kMaxSmkvShards))
      ->capture_default_str();
  parser.footer(
      "What is exported is the store as it was at one moment, whatever others change meanwhile. A "
      "file gets its name when it is complete. What the format cannot hold is left out and told "
      "by name (status 13).\n"
      "Example: kvfs export ~/store | zstd > store.tar.zst\n"
      "         kvfs export --to jsonl --path jobs ~/store jobs.jsonl");
  return [arguments] { return Export(*arguments); };
}

}  // namespace kvfs::cli
