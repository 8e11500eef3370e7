// All that lies below a directory of a store, in the order of the paths' bytes within each
// directory: each directory before what is in it.
#pragma once

#include "cli/keys.h"

namespace kvfs::cli {

struct WalkedKey {
  std::string path;  // from the root, without a leading slash
  std::string_view name;
  const fs::InodeInfo& inode;
};
// Whether to look into a directory that is visited.
enum class Descent { kEnter, kPass };
using WalkVisitor = std::function<Result<Descent>(const WalkedKey& key)>;

// What lies in `directory`, not the directory itself; of another path, what it names. Others may
// change the store meanwhile: a directory that is gone when its turn comes is empty.
Result<void> WalkKeys(Keys& keys, const std::string& directory, const WalkVisitor& visit);

// "a/b" for "/a//b/".
std::string NormalizeKeyPath(std::string_view path);
std::string JoinKeyPath(std::string_view directory, std::string_view name);

}  // namespace kvfs::cli
