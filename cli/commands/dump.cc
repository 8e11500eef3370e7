// `kvfs dump`: prints a file of a store, field by field.

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include <kvfs/dump.h>
#include "cli/base/shown_text.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_health.h"

namespace kvfs::cli {
namespace {

// Here, kNotFound means a missing file, not a missing key.
ExitCode ExitCodeOfDump(ErrorCode code) {
  if (code == ErrorCode::kUnsupported) return ExitCode::kNoStore;  // an unknown kind of file
  return code == ErrorCode::kCorrupt ? ExitCode::kStoreCorrupt : ExitCodeOfFile(code);
}

CommandResult<> Dump(const std::string& path) {
  // The kernel may resolve the path without the daemon; reading needs the daemon.
  const auto resolved = AwaitAnswer(path).and_then([&] { return ResolvePlace(path); });
  if (!resolved) {
    return Fail(ExitCode::kIoFailed,
                fmt::format("cannot read {}: {}", path, resolved.error().message));
  }
  std::error_code ignored;
  if (std::filesystem::is_socket(*resolved, ignored)) {
    return Fail(
        ExitCode::kNoStore,
        fmt::format(
            "cannot dump {}: it is the socket through which commands reach the daemon of the store",
            *resolved));
  }
  const auto dumped = DumpFile(GetPosixEnv(), *resolved, [](std::string_view line) {
    fmt::print("{}\n", ShownText(stdout, line));
    return true;
  });
  if (dumped) return {};
  return Fail(ExitCodeOfDump(dumped.error().code),
              fmt::format("cannot dump {}: {}", *resolved, dumped.error().message));
}

}  // namespace

Runner DefineDump(CLI::App& parser) {
  const auto path = std::make_shared<std::string>();
  parser
      .add_option("FILE", *path,
                  "superblock, identity, lock, log/segment-..., shard-NN.keys or .values")
      ->required();
  parser.footer(
      "docs/format.md explains the fields. Damage is described, and is not a failure. Nothing is "
      "changed.\n"
      "Example: kvfs dump ~/store/superblock");
  return [path] { return Dump(*path); };
}

}  // namespace kvfs::cli
