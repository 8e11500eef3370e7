// `kvfs del`: deletes as many of the keys as possible, and reports the others.

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/user_message.h"
#include "cli/client/inner_mounts.h"
#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

// Limits of one step. Paths of a deep tree are long.
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

bool IsTaken(ErrorCode code) {
  return code == ErrorCode::kNotEmpty || code == ErrorCode::kIsDirectory ||
         code == ErrorCode::kNotDirectory;
}

// Applies thousands of deletions in one step, in the order in which they are added. A key that
// others have deleted meanwhile is no error; one that they have filled or replaced is skipped, and
// reported at the end. On a full disk, a smaller step may succeed.
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
    return Apply(std::exchange(changes_, {}));
  }
  // The first key that was skipped, and why.
  const std::optional<std::pair<std::string, Error>>& passed_over() const { return passed_over_; }

 private:
  using Changes = std::vector<fs::PathOperation>;

  Result<void> Apply(Changes changes) {
    while (!changes.empty()) {
      size_t failed = changes.size();
      auto done = keys_.Apply(changes, &failed);
      if (done) return {};
      const ErrorCode code = done.error().code;
      if (code == ErrorCode::kNoSpace && changes.size() > 1) {
        KVFS_TRY(Apply(TakeFirst(changes, changes.size() / 2)));
        continue;
      }
      const bool is_others =
          failed < changes.size() && (code == ErrorCode::kNotFound || IsTaken(code));
      if (!is_others) return done;
      if (failed > 0) KVFS_TRY(Apply(TakeFirst(changes, failed)));
      if (IsTaken(code) && !passed_over_) passed_over_ = {changes.front().path, done.error()};
      changes.erase(changes.begin());
    }
    return {};
  }
  static Changes TakeFirst(Changes& changes, size_t count) {
    const auto end = changes.begin() + static_cast<ptrdiff_t>(count);
    Changes first(std::make_move_iterator(changes.begin()), std::make_move_iterator(end));
    changes.erase(changes.begin(), end);
    return first;
  }

  Keys& keys_;
  Changes changes_;
  size_t path_bytes_ = 0;
  std::optional<std::pair<std::string, Error>> passed_over_;
};

// A directory is deleted after its children. `failed` receives the path that the error concerns.
Result<void> DeleteTree(Keys& keys, const std::string& store, const std::string& path,
                        std::string* failed) {
  KVFS_ASSIGN(const fs::InodeInfo top, keys.Stat(path));
  // Before any deletion.
  KVFS_TRY(CheckHoldsNoMount(InnerMountsOfStore(store), path));
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
  KVFS_TRY(deletions.Make());
  if (!deletions.passed_over()) return {};
  *failed = deletions.passed_over()->first;
  return tl::unexpected(deletions.passed_over()->second);
}

// All failures but the last are printed at once; the first one determines the exit code.
CommandResult<> DeleteAll(Keys& keys, const DelArguments& arguments, const std::string& store) {
  CommandResult<> outcome;
  for (const std::string& path : arguments.paths) {
    std::string failed = path;
    const auto deleted = arguments.recursive ? DeleteTree(keys, store, path, &failed)
                                             : keys.Apply({Deletion(path, false)});
    if (deleted) continue;
    CommandError failure = ExplainKeyError("delete", failed, store, deleted.error());
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
  std::optional<LastWords> words;
  if (arguments.recursive) {
    words.emplace(
        fmt::format("the deletion in {} was interrupted by a signal; keys deleted before stay "
                    "deleted, the others remain",
                    arguments.store));
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
