// The table of commands: help, manual and completions are generated from it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "cli/base/waiting.h"
#include "cli/base/whole_number.h"
#include "cli/commands/command.h"
#include "cli/mounts/mount_watch.h"

namespace kvfs::cli {
namespace {

constexpr uint64_t kMostSeconds = 1'000'000'000;

CommandResult<> WatchStandardStreams() {
  const auto watched = WatchStreams();
  if (watched) return {};
  return Fail(ExitCode::kIoFailed,
              fmt::format("cannot read or write a standard stream: {}", watched.error().message));
}

}  // namespace

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"create", "Create an empty store", DefineCreate},
      Command{"mount", "Mount a store as a directory of files", DefineMount, OwnStatus, true,
              false},
      Command{"unmount", "Unmount a store and wait until everything is on disk", DefineUnmount,
              OwnStatus, true, false},
      Command{"status", "Show mounted stores, and the process that holds a store", DefineStatus,
              OwnStatus, false},
      Command{"get", "Write a key's value to standard output", DefineGet},
      Command{"put", "Set a key's value", DefinePut},
      Command{"append", "Append to a value", DefineAppend},
      Command{"del", "Delete keys", DefineDel},
      Command{"mv", "Rename a key or directory", DefineMv},
      Command{"mkdir", "Make a directory", DefineMkdir},
      Command{"ls", "List the keys of a directory", DefineLs},
      Command{"stat", "Show size, version, owner and times of keys", DefineStat},
      Command{"find", "Find keys by prefix and pattern", DefineFind},
      Command{"batch", "Apply many changes atomically", DefineBatch},
      Command{"import", "Import a directory tree, an archive or a dump", DefineImport},
      Command{"export", "Export a store as a tree, an archive or a dump", DefineExport},
      Command{"check", "Verify every byte of a store", DefineCheck, FsckStatus},
      Command{"repair", "Copy what is readable of a damaged store into a new one", DefineRepair},
      Command{"compact", "Make a store as small as possible", DefineCompact},
      Command{"stats", "Show store statistics", DefineStats},
      Command{"top", "Show a mount's requests, second by second", DefineTop},
      Command{"bench", "Benchmark a store or a mount on this machine", DefineBench},
      Command{"dump", "Show a file of a store field by field", DefineDump},
      Command{"doctor", "Check whether this machine can mount stores, and what is wrong",
              DefineDoctor, OwnStatus, false},
      Command{"completion", "Write the completions for a shell", DefineCompletion, OwnStatus,
              false},
      Command{"manual", "Write the manual page", DefineManual, OwnStatus, false},
      Command{"version", "Show the versions of kvfs, libfuse and the kernel", DefineVersion,
              OwnStatus, false},
  };
  return kCommands;
}

Runner DefineWhole(const Command& command, CLI::App& parser) {
  Runner runner = command.define(parser);
  if (!command.waits) return runner;
  const auto seconds = std::make_shared<uint64_t>(static_cast<uint64_t>(WaitLimit().count()));
  parser
      .add_option("--timeout", *seconds,
                  "Seconds to wait, in all, for a busy or silent holder of the store; 0: no limit")
      ->type_name("SECONDS")
      ->check(WholeNumber(0, kMostSeconds))
      ->capture_default_str();
  return [runner = std::move(runner), seconds, is_watched = command.is_watched] {
    SetWaitLimit(std::chrono::seconds(*seconds));
    if (!is_watched) ForgoWatching();
    return WatchStandardStreams().and_then(runner);
  };
}

const Command* FindCommand(std::string_view name) {
  const auto commands = Commands();
  const auto found =
      std::ranges::find_if(commands, [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

}  // namespace kvfs::cli
