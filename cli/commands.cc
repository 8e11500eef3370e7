// The table of commands.

#include <array>

#include "cli/command.h"

namespace kvfs::cli {

std::span<const Command> Commands() {
  static constexpr std::array kCommands = {
      Command{"create", "Create an empty store", DefineCreate},
      Command{"mount", "Show a store as a directory of files", DefineMount},
      Command{"unmount", "Unmount a store and wait until all of it is on disk", DefineUnmount},
      Command{"get", "Write the value of a key to standard output", DefineGet},
      Command{"put", "Give a key a value", DefinePut},
      Command{"del", "Delete keys", DefineDel},
      Command{"ls", "List the keys of a directory", DefineLs},
      Command{"version", "Tell the versions of kvfs, libfuse and the kernel", DefineVersion},
  };
  return kCommands;
}

}  // namespace kvfs::cli
