// Like fts(3), with the paths of FTS_NOCHDIR, but relative to open directories.

#include "cli/transfer/tree_cursor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "cli/base/paths.h"

namespace kvfs::cli {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

tl::unexpected<Error> FailWithErrno() { return tl::unexpected(ErrorOfErrno(errno)); }

}  // namespace

Result<TreeCursor> TreeCursor::Open(const std::string& top) {
  TreeCursor cursor;
  cursor.directory_ = Descriptor(::open(top.c_str(), kDirectory));
  if (!cursor.directory_.valid()) return FailWithErrno();
  KVFS_TRY(cursor.Note(0));
  return cursor;
}

Result<void> TreeCursor::Note(size_t path_bytes) {
  struct stat status {};
  if (::fstat(directory_.number(), &status) != 0) return FailWithErrno();
  levels_.push_back({path_bytes, status.st_dev, status.st_ino});
  return {};
}

Result<void> TreeCursor::Enter(const std::string& name) {
  Descriptor below(::openat(directory_.number(), name.c_str(), kDirectory | O_NOFOLLOW));
  if (!below.valid()) return FailWithErrno();
  std::swap(directory_, below);
  const size_t before = path_.size();
  if (!path_.empty()) path_ += '/';
  path_ += name;
  auto noted = Note(path_.size());
  if (noted) return {};
  std::swap(directory_, below);
  path_.resize(before);
  return noted;
}

Result<void> TreeCursor::Leave() {
  const Level& parent = levels_[levels_.size() - 2];
  Descriptor above(::openat(directory_.number(), "..", kDirectory));
  struct stat status {};
  if (!above.valid() || ::fstat(above.number(), &status) != 0) return FailWithErrno();
  if (status.st_dev != parent.device || status.st_ino != parent.inode) {
    return Fail(ErrorCode::kIo, "a directory was moved meanwhile");
  }
  std::swap(directory_, above);
  path_.resize(parent.path_bytes);
  levels_.pop_back();
  return {};
}

Result<void> TreeCursor::MoveTo(std::string_view path) {
  const auto is_at_or_above = [&] {
    return path.starts_with(path_) &&
           (path_.empty() || path.size() == path_.size() || path[path_.size()] == '/');
  };
  while (!is_at_or_above()) KVFS_TRY(Leave());
  while (path_.size() < path.size()) {
    const size_t begin = path_.empty() ? 0 : path_.size() + 1;
    const size_t end = std::min(path.find('/', begin), path.size());
    KVFS_TRY(Enter(std::string(path.substr(begin, end - begin))));
  }
  return {};
}

}  // namespace kvfs::cli
