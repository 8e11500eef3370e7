// `kvfs del`: deletes keys, all that it can, and says which it could not.

#include <fmt/format.h>

#include <memory>

#include "cli/base/user_message.h"
#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

constexpr size_t kAtOnce = 4096;

struct DelArguments {
  std::string store;
  std::vector<std::string> paths;
  bool recursive = false;
};

fs::PathOperation Deletion(std::string path, bool is_directory) {
  fs::PathOperation change;
  change.kind =
      is_directory ? fs::PathOperation::Kind::kRemoveDirectory : fs::PathOperation::Kind::kDelete;
  change.path = std::move(path);
  return change;
}

// A directory last, all that is in it before: some thousand in one step.
Result<void> DeleteTree(Keys& keys, const std::string& path) {
  KVFS_ASSIGN(const fs::InodeInfo top, keys.Stat(path));
  std::vector<fs::PathOperation> changes = {Deletion(path, top.attributes.IsDirectory())};
  if (top.attributes.IsDirectory()) {
    KVFS_TRY(WalkKeys(keys, path, [&](const WalkedKey& key) -> Result<Descent> {
      changes.push_back(Deletion(key.path, key.inode.attributes.IsDirectory()));
      return Descent::kEnter;
    }));
  }
  while (!changes.empty()) {
    std::vector<fs::PathOperation> next;
    for (; !changes.empty() && next.size() < kAtOnce; changes.pop_back()) {
      next.push_back(std::move(changes.back()));
    }
    KVFS_TRY(keys.Apply(next));
  }
  return {};
}

// All failures but the last one go to standard error at once; the first decides the exit code.
Outcome DeleteAll(Keys& keys, const DelArguments& arguments, const std::string& store) {
  Outcome outcome;
  for (const std::string& path : arguments.paths) {
    const auto deleted =
        arguments.recursive ? DeleteTree(keys, path) : keys.Apply({Deletion(path, false)});
    if (deleted) continue;
    Failure failure = ExplainKeyError("delete", path, store, deleted.error());
    if (!outcome) {
      Tell(Severity::kError, outcome.error().text);
      failure.code = outcome.error().code;
    }
    outcome = tl::unexpected(std::move(failure));
  }
  return outcome;
}

Outcome Delete(const DelArguments& arguments) {
  for (const std::string& path : arguments.paths) {
    const Outcome valid = CheckKeyPath(path);
    if (!valid) return valid;
  }
  return WithKeys(
      arguments.store, "del", KeysUse::kChange,
      [&](Keys& keys, const std::string& store) { return DeleteAll(keys, arguments, store); });
}

}  // namespace

Runner DefineDel(CLI::App& parser) {
  const auto arguments = std::make_shared<DelArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->paths.emplace_back(), "The key; any number may follow")
      ->required();
  parser.add_flag("-r,--recursive", arguments->recursive, "Directories, too, with all in them");
  parser.allow_extras();
  parser.footer("Example: kvfs del ~/store foo a/b/bar");
  return [arguments, &parser]() -> Outcome {
    return TakeFurtherPaths(parser.remaining(), arguments->paths).and_then([&] {
      return Delete(*arguments);
    });
  };
}

}  // namespace kvfs::cli
