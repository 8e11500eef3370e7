// `kvfs del`: deletes keys, all that it can, and says which it could not.

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/base/user_message.h"
#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

// What is deleted in one step. Paths of a deep tree are long.
constexpr size_t kAtOnce = 4096;
constexpr size_t kPathBytesAtOnce = size_t{4} << 20;

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

// Some thousand deletions in one step, in the order in which they are added.
class Deletions {
 public:
  explicit Deletions(Keys& keys) : keys_(keys) {}

  Result<void> Add(std::string path, bool is_directory) {
    path_bytes_ += path.size();
    changes_.push_back(Deletion(std::move(path), is_directory));
    return changes_.size() < kAtOnce && path_bytes_ < kPathBytesAtOnce ? Result<void>() : Make();
  }
  Result<void> Make() {
    path_bytes_ = 0;
    return changes_.empty() ? Result<void>() : keys_.Apply(std::exchange(changes_, {}));
  }

 private:
  Keys& keys_;
  std::vector<fs::PathOperation> changes_;
  size_t path_bytes_ = 0;
};

// A directory last, all that is in it before.
Result<void> DeleteTree(Keys& keys, const std::string& path) {
  KVFS_ASSIGN(const fs::InodeInfo top, keys.Stat(path));
  Deletions deletions(keys);
  if (top.attributes.IsDirectory()) {
    WalkOptions options;
    options.on_left = [&](const std::string& left) { return deletions.Add(left, true); };
    const auto delete_file = [&](const WalkedKey& key) -> Result<Descent> {
      if (!key.inode.attributes.IsDirectory()) KVFS_TRY(deletions.Add(key.path, false));
      return Descent::kEnter;
    };
    KVFS_TRY(WalkKeys(keys, path, delete_file, options));
  }
  KVFS_TRY(deletions.Add(path, top.attributes.IsDirectory()));
  return deletions.Make();
}

// All failures but the last one go to standard error at once; the first decides the exit code.
CommandResult<> DeleteAll(Keys& keys, const DelArguments& arguments, const std::string& store) {
  CommandResult<> outcome;
  for (const std::string& path : arguments.paths) {
    const auto deleted =
        arguments.recursive ? DeleteTree(keys, path) : keys.Apply({Deletion(path, false)});
    if (deleted) continue;
    CommandError failure = ExplainKeyError("delete", path, store, deleted.error());
    if (!outcome) {
      Tell(Severity::kError, outcome.error().text);
      failure.code = outcome.error().code;
    }
    outcome = tl::unexpected(std::move(failure));
  }
  return outcome;
}

CommandResult<> Delete(const DelArguments& arguments) {
  for (const std::string& path : arguments.paths) {
    KVFS_TRY(CheckKeyPath(path));
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
  parser.add_flag("-r,--recursive", arguments->recursive,
                  "Delete directories and everything in them");
  parser.allow_extras();
  parser.footer("Example: kvfs del ~/store foo a/b/bar");
  return [arguments, &parser]() -> CommandResult<> {
    return TakeFurtherPaths(parser.remaining(), arguments->paths).and_then([&] {
      return Delete(*arguments);
    });
  };
}

}  // namespace kvfs::cli
