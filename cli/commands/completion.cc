// `kvfs completion`: completions of commands and options for a shell. `kvfs manual`: kvfs(1).

#include <fmt/format.h>

#include <memory>

#include "cli/commands/command.h"
#include "cli/commands/command_text.h"

namespace kvfs::cli {

Runner DefineCompletion(CLI::App& parser) {
  const auto shell = std::make_shared<std::string>();
  parser.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  parser.footer("Example: kvfs completion bash > ~/.local/share/bash-completion/completions/kvfs");
  return [shell]() -> CommandResult<> {
    fmt::print("{}", *shell == "bash"  ? BashCompletion()
                     : *shell == "zsh" ? ZshCompletion()
                                       : FishCompletion());
    return {};
  };
}

Runner DefineManual(CLI::App& parser) {
  parser.footer("Example: kvfs manual | man -l -");
  return []() -> CommandResult<> {
    fmt::print("{}", ManualPage());
    return {};
  };
}

}  // namespace kvfs::cli
