// Memory for one directory's names a level.

#include "cli/key_walk.h"

#include <algorithm>

namespace kvfs::cli {
namespace {

struct Child {
  std::string name;
  fs::InodeInfo inode;
};

Result<void> Walk(Keys& keys, const std::string& directory, const WalkVisitor& visit, bool is_top) {
  std::vector<Child> children;
  const auto listed =
      keys.List(directory, [&](std::string_view name, const fs::InodeInfo& inode) -> Result<void> {
        children.push_back({std::string(name), inode});
        return {};
      });
  if (!listed && !is_top && listed.error().code == ErrorCode::kNotFound) return {};
  if (!listed) return listed;
  std::ranges::sort(children, {}, &Child::name);
  for (const Child& child : children) {
    const std::string path = JoinKeyPath(directory, child.name);
    KVFS_ASSIGN(const Descent descent, visit({path, child.name, child.inode}));
    if (descent == Descent::kPass || !child.inode.attributes.IsDirectory()) continue;
    KVFS_TRY(Walk(keys, path, visit, /*is_top=*/false));
  }
  return {};
}

}  // namespace

Result<void> WalkKeys(Keys& keys, const std::string& directory, const WalkVisitor& visit) {
  const std::string top = NormalizeKeyPath(directory);
  if (!top.empty()) {
    KVFS_ASSIGN(const fs::InodeInfo inode, keys.Stat(top));
    if (!inode.attributes.IsDirectory()) {
      KVFS_TRY(visit({top, std::string_view(top).substr(top.rfind('/') + 1), inode}));
      return {};
    }
  }
  return Walk(keys, top, visit, /*is_top=*/true);
}

std::string NormalizeKeyPath(std::string_view path) {
  std::string plain;
  for (const char c : path) {
    if (c != '/' || (!plain.empty() && plain.back() != '/')) plain += c;
  }
  while (plain.ends_with('/')) plain.pop_back();
  return plain;
}

std::string JoinKeyPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  return path += name;
}

}  // namespace kvfs::cli
