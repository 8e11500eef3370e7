// Memory use: the names of one directory per level.

#include "cli/client/key_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/base/user_message.h"

namespace kvfs::cli {
namespace {

struct Child {
  std::string name;
  fs::InodeInfo inode;
};

// A directory on the current path: its names, and how many have been visited.
struct Level {
  size_t path_bytes;  // of the directory's path
  std::vector<Child> children;
  size_t next = 0;
};

// A stack of levels instead of recursion: a tree may be deeper than the call stack.
class Walker {
 public:
  Walker(Keys& keys, const WalkVisitor& visit, const WalkOptions& options)
      : keys_(keys), visit_(visit), options_(options) {}

  Result<void> Run(const std::string& top) {
    path_ = top;
    KVFS_TRY(Enter());
    while (!levels_.empty()) {
      Level& level = levels_.back();
      path_.resize(level.path_bytes);
      if (level.next == level.children.size()) {
        levels_.pop_back();
        if (options_.on_left && !levels_.empty()) KVFS_TRY(options_.on_left(path_));
      } else {
        KVFS_TRY(Visit(level.children[level.next++]));
      }
    }
    return {};
  }

 private:
  Result<void> Visit(const Child& child) {
    if (!path_.empty()) path_ += '/';
    path_ += child.name;
    KVFS_ASSIGN(const Descent descent, visit_({path_, child.name, child.inode}));
    if (descent == Descent::kPass || !child.inode.attributes.IsDirectory()) return {};
    return Enter();
  }

  Result<void> Enter() {
    const bool is_top = levels_.empty();
    std::vector<Child> children;
    const auto listed =
        keys_.List(path_, [&](std::string_view name, const fs::InodeInfo& inode) -> Result<void> {
          children.push_back({std::string(name), inode});
          return {};
        });
    if (!listed) KVFS_TRY(Explain(listed.error(), is_top));
    std::ranges::sort(children, {}, &Child::name);
    levels_.push_back({path_.size(), std::move(children)});
    return {};
  }

  // If a directory cannot be read to its end, the entries found are visited.
  Result<void> Explain(const Error& error, bool is_top) {
    if (!is_top && error.code == ErrorCode::kNotFound) return {};
    const bool is_damage = error.code == ErrorCode::kCorrupt;
    if (!is_damage || !options_.on_unreadable) return tl::unexpected(error);
    options_.on_unreadable(path_, error);
    return {};
  }

  Keys& keys_;
  const WalkVisitor& visit_;
  const WalkOptions& options_;
  std::string path_;
  std::vector<Level> levels_;
};

}  // namespace

Result<void> WalkKeys(Keys& keys, const std::string& directory, const WalkVisitor& visit,
                      const WalkOptions& options) {
  const std::string top = NormalizeKeyPath(directory);
  if (!top.empty()) {
    KVFS_ASSIGN(const fs::InodeInfo inode, keys.Stat(top));
    if (!inode.attributes.IsDirectory()) {
      KVFS_TRY(visit({top, std::string_view(top).substr(top.rfind('/') + 1), inode}));
      return {};
    }
  }
  return Walker(keys, visit, options).Run(top);
}

CommandResult<> TellUnreadable(const std::string& path, const Error& error) {
  Tell(Severity::kWarning,
       fmt::format("{} is damaged: {}", path.empty() ? "the top" : path, ReasonOfKeyError(error)));
  return Fail(ExitCode::kStoreCorrupt, "the store is damaged: not all of it could be listed");
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
