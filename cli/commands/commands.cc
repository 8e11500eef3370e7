// The table of commands: the help, the manual and the completions come from it.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "cli/base/waiting.h"
#include "cli/base/whole_number.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

constexpr uint64_t kMostSeconds = 1'000'000'000;

}  // namespace

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"create", "Create an empty store", DefineCreate},
      Command{"mount", "Show a store as a directory of files", DefineMount},
      Command{"unmount", "Unmount a store and wait until all of it is on disk", DefineUnmount},
      Command{"status", "Tell what is mounted where, and who holds a store", DefineStatus,
              OwnStatus, false},
      Command{"get", "Write the value of a key to standard output", DefineGet},
      Command{"put", "Give a key a value", DefinePut},
      Command{"append", "Add to the end of a value", DefineAppend},
      Command{"del", "Delete keys", DefineDel},
      Command{"mv", "Give a value or a directory another key", DefineMv},
      Command{"mkdir", "Make a directory", DefineMkdir},
      Command{"ls", "List the keys of a directory", DefineLs},
      Command{"stat", "Tell size, version, owner and times of keys", DefineStat},
      Command{"find", "List keys by prefix and pattern", DefineFind},
      Command{"batch", "Make many changes in one atomic step", DefineBatch},
      Command{"import", "Take a directory tree, an archive or a dump in", DefineImport},
      Command{"export", "Write a store out as a tree, an archive or a dump", DefineExport},
      Command{"check", "Verify every byte of a store", DefineCheck, FsckStatus},
      Command{"repair", "Write what a damaged store still has into a new one", DefineRepair},
      Command{"compact", "Make a store as small as it can be", DefineCompact},
      Command{"stats", "Tell what a store holds and takes", DefineStats},
      Command{"top", "Show what a mount is asked for, second by second", DefineTop},
      Command{"bench", "Measure how fast a store or mount is here", DefineBench},
      Command{"dump", "Describe a file of a store field by field", DefineDump},
      Command{"doctor", "Tell whether stores can be mounted here, and what is amiss", DefineDoctor,
              OwnStatus, false},
      Command{"completion", "Write the completions for a shell", DefineCompletion, OwnStatus,
              false},
      Command{"manual", "Write the manual page", DefineManual, OwnStatus, false},
      Command{"version", "Tell the versions of kvfs, libfuse and the kernel", DefineVersion,
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
                  "Wait so long in all for whoever has the store and does not answer; 0: for ever")
      ->type_name("SECONDS")
      ->check(WholeNumber(0, kMostSeconds))
      ->capture_default_str();
  return [runner = std::move(runner), seconds] {
    SetWaitLimit(std::chrono::seconds(*seconds));
    return runner();
  };
}

const Command* FindCommand(std::string_view name) {
  const auto commands = Commands();
  const auto found =
      std::ranges::find_if(commands, [&](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

}  // namespace kvfs::cli
