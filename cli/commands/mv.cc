// `kvfs mv`: renames a value or a directory atomically, without copying.

#include <fmt/format.h>

#include <memory>

#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct MvArguments {
  std::string store;
  std::string from;
  std::string to;
  bool no_replace = false;
};

CommandResult<> Move(const MvArguments& arguments) {
  for (const std::string& path : {arguments.from, arguments.to}) {
    KVFS_TRY(CheckKeyPath(path));
  }
  std::vector<fs::PathOperation> changes;
  if (arguments.no_replace) {
    fs::PathOperation& expect = changes.emplace_back();
    expect.kind = fs::PathOperation::Kind::kExpect;
    expect.path = arguments.to;
  }
  fs::PathOperation& move = changes.emplace_back();
  move.kind = fs::PathOperation::Kind::kMove;
  move.path = arguments.from;
  move.to = arguments.to;
  return WithKeys(
      arguments.store, "mv", KeysUse::kChange,
      [&](Keys& keys, const std::string& store) -> CommandResult<> {
        const auto moved = keys.Apply(changes);
        if (moved) return {};
        return tl::unexpected(ExplainKeyError(
            "move", fmt::format("{} to {}", arguments.from, arguments.to), store, moved.error()));
      });
}

}  // namespace

Runner DefineMv(CLI::App& parser) {
  const auto arguments = std::make_shared<MvArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("FROM", arguments->from, "The key, or a directory")->required();
  parser.add_option("TO", arguments->to, "The new name; an existing entry is replaced")->required();
  parser.add_flag("-n,--no-replace", arguments->no_replace, "Fail if TO exists (status 14)");
  parser.footer("Example: kvfs mv ~/store jobs/new/7 jobs/done/7");
  return [arguments] { return Move(*arguments); };
}

}  // namespace kvfs::cli
