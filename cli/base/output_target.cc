// Only the end of a path is resolved name by name: the kernel resolves the rest.
#include "cli/base/output_target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "cli/base/paths.h"

namespace kvfs::cli {
namespace {

constexpr int kMaxLinks = 40;  // as in Linux

tl::unexpected<Error> FailWithErrno() {
  Error error = ErrorOfErrno(errno);
  error.code = ErrorCode::kIo;
  return tl::unexpected(std::move(error));
}

bool IsOfProc(int directory) {
  struct statfs status {};
  return ::fstatfs(directory, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

// In a directory that others may write to, checks that the file is not theirs.
Result<void> CheckNotOfOthers(int directory, const struct stat& found, LinksOf links) {
  struct stat above {};
  if (::fstat(directory, &above) != 0) return FailWithErrno();
  const bool is_open_to_all = (above.st_mode & S_ISVTX) != 0 && (above.st_mode & S_IWOTH) != 0;
  const bool is_ours = found.st_uid == ::geteuid() || found.st_uid == above.st_uid;
  if (is_open_to_all && !is_ours) {
    return Fail(ErrorCode::kIo, "it belongs to another user, in a world-writable directory");
  }
  if (links == LinksOf::kRootOnly && S_ISLNK(found.st_mode) && ::geteuid() == 0 &&
      found.st_uid != 0) {
    return Fail(ErrorCode::kIo, "it is a symbolic link of a user other than root");
  }
  return {};
}

}  // namespace

Result<std::string> ReadLinkAt(int directory, const std::string& name) {
  std::vector<char> target(4096);
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) return FailWithErrno();
  return std::string(target.data(), static_cast<size_t>(length));
}

Result<OutputTarget> SplitTarget(int from, const std::string& path) {
  const size_t end = path.find_last_not_of('/') + 1;
  if (end != path.size()) return Fail(ErrorCode::kIo, "it is a directory");
  const size_t slash = path.rfind('/');
  OutputTarget target;
  target.name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string above = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  target.directory = Descriptor(::openat(from, above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target.directory.valid()) return FailWithErrno();
  return target;
}

Result<OutputTarget> FindOutputTarget(const std::string& path, LinksOf links) {
  KVFS_ASSIGN(OutputTarget target, SplitTarget(AT_FDCWD, path));
  for (int followed = 0; followed <= kMaxLinks; ++followed) {
    const int directory = target.directory.number();
    struct stat found {};
    if (::fstatat(directory, target.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) return FailWithErrno();
      return target;
    }
    KVFS_TRY(CheckNotOfOthers(directory, found, links));
    // Links in /proc lead to open files, whatever their text says.
    target.is_of_proc = IsOfProc(directory);
    if (!S_ISLNK(found.st_mode) || target.is_of_proc) {
      target.found = found;
      return target;
    }
    KVFS_ASSIGN(const std::string text, ReadLinkAt(directory, target.name));
    KVFS_ASSIGN(OutputTarget next, SplitTarget(directory, text));
    target = std::move(next);
  }
  errno = ELOOP;
  return FailWithErrno();
}

}  // namespace kvfs::cli
