// Visits everything below a directory of a store, in byte order within each directory: each
// directory before its children.
#pragma once

#include <functional>
#include <string>

#include "cli/client/keys.h"

namespace kvfs::cli {

struct WalkedKey {
  const std::string& path;  // from the root, without a leading slash
  std::string_view name;
  const fs::InodeInfo& inode;
};
// Whether to descend into the visited directory.
enum class Descent { kEnter, kPass };
struct WalkOptions {
  // Called for each directory whose entry or listing is damaged; the walk goes on. Without it,
  // damage ends the walk.
  std::function<void(const std::string& path, const Error& error)> on_unreadable;
  // Called for each entered directory, after all its children; its error ends the walk.
  std::function<Result<void>(const std::string& path)> on_left;
};
using WalkVisitor = std::function<Result<Descent>(const WalkedKey& key)>;

// Visits the children of `directory`, not the directory itself; for a path that is not a directory,
// the entry itself. The store may be changed meanwhile: a directory that is gone when its turn
// comes counts as empty.
Result<void> WalkKeys(Keys& keys, const std::string& directory, const WalkVisitor& visit,
                      const WalkOptions& options = {});

// An `on_unreadable` for commands that list: reports to standard error, and records the exit code.
CommandResult<> TellUnreadable(const std::string& path, const Error& error);

// "a/b" for "/a//b/".
std::string NormalizeKeyPath(std::string_view path);
std::string JoinKeyPath(std::string_view directory, std::string_view name);

}  // namespace kvfs::cli
