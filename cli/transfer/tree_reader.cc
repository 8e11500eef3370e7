// Reads a directory tree on disk: the walk through its directories. What becomes of each file is in
// cli/transfer/disk_entries.h.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <vector>

#include "cli/base/descriptor.h"
#include "cli/base/paths.h"
#include "cli/transfer/disk_entries.h"
#include "cli/transfer/disk_status.h"
#include "cli/transfer/tree_cursor.h"
#include "cli/transfer/tree_format.h"

namespace kvfs::cli {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class TreeReader {
 public:
  TreeReader(std::string top, EntrySink& sink)
      : top_(std::move(top)), sink_(sink), entries_(top_, sink) {}

  Result<void> Run() {
    struct stat status {};
    if (::lstat(top_.c_str(), &status) != 0) return FailNaming(top_);
    const size_t slash = top_.rfind('/');
    if (!S_ISDIR(status.st_mode)) {
      Descriptor above(
          ::open(top_.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!above.valid()) return FailNaming(top_);
      return entries_.AddOther(above.number(), top_.substr(slash + 1), top_.substr(slash + 1),
                               status);
    }
    auto cursor = TreeCursor::Open(top_);
    if (!cursor) return FailNaming(top_, cursor.error());
    cursor_ = &*cursor;
    KVFS_TRY(AddDirectory(status));
    return ReadLevels();
  }

 private:
  struct Level {
    std::vector<std::string> names;
    size_t next = 0;
  };

  Result<void> ReadLevels() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next < level.names.size()) {
        KVFS_TRY(AddAny(level.names[level.next++]));
        continue;
      }
      levels_.pop_back();
      if (levels_.empty()) break;
      if (auto left = cursor_->Leave(); !left)
        return FailNaming(entries_.OnDisk(cursor_->path()), left.error());
    }
    return {};
  }

  Result<std::vector<std::string>> Names() {
    const std::string& path = cursor_->path();
    const int own = ::openat(cursor_->descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::vector<std::string> names;
    if (own < 0) return entries_.PassOver(path, "what is in ").map([&] { return names; });
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own));
    if (stream == nullptr) return entries_.PassOver(path, "what is in ").map([&] { return names; });
    errno = 0;
    while (const dirent* const entry = ::readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) KVFS_TRY(entries_.PassOver(path, "a part of what is in "));
    std::ranges::sort(names);
    return names;
  }

  // Adds the cursor's current directory.
  Result<void> AddDirectory(const struct stat& status) {
    KVFS_TRY(entries_.AddDirectory(cursor_->descriptor(), cursor_->path(), status));
    KVFS_ASSIGN(auto names, Names());
    levels_.push_back({std::move(names)});
    return {};
  }

  Result<void> AddAny(const std::string& name) {
    const std::string path = JoinKeyPath(cursor_->path(), name);
    const int directory = cursor_->descriptor();
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return entries_.PassOver(path);
    }
    if (!S_ISDIR(status.st_mode)) return entries_.AddOther(directory, name, path, status);
    const auto entered = cursor_->Enter(name);
    if (entered) return AddDirectory(status);
    if (IsOfMachine(errno)) return FailNaming(entries_.OnDisk(path), entered.error());
    sink_.LeaveOut(entries_.OnDisk(path) + " and what is in it", entered.error().message);
    return {};
  }

  const std::string top_;
  EntrySink& sink_;
  DiskEntries entries_;
  TreeCursor* cursor_ = nullptr;
  std::vector<Level> levels_;
};

}  // namespace

Result<void> ReadTree(const std::string& path, EntrySink& sink) {
  KVFS_ASSIGN(std::string top, ResolvePath(path));
  return TreeReader(std::move(top), sink).Run();
}

}  // namespace kvfs::cli
