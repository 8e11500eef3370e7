// All that lies below a directory of a store, in the order of the paths' bytes within each
// directory: each directory before what is in it.
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
// Whether to look into a directory that is visited.
enum class Descent { kEnter, kPass };
struct WalkOptions {
  // Told of each directory whose entry is damaged, or what lies in it; the walk goes on. Without
  // it, that ends the walk.
  std::function<void(const std::string& path, const Error& error)> on_unreadable;
  // Told of each directory that was entered, after all that is in it; what it fails with ends the
  // walk.
  std::function<Result<void>(const std::string& path)> on_left;
};
using WalkVisitor = std::function<Result<Descent>(const WalkedKey& key)>;

// What lies in `directory`, not the directory itself; of another path, what it names. Others may
// change the store meanwhile: a directory that is gone when its turn comes is empty.
Result<void> WalkKeys(Keys& keys, const std::string& directory, const WalkVisitor& visit,
                      const WalkOptions& options = {});

// For `on_unreadable` of commands that list: says it on standard error, and how the command ends.
CommandResult<> TellUnreadable(const std::string& path, const Error& error);

// "a/b" for "/a//b/".
std::string NormalizeKeyPath(std::string_view path);
std::string JoinKeyPath(std::string_view directory, std::string_view name);

}  // namespace kvfs::cli
