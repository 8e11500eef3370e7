// Sets owner, mode, times and extended attributes of what the writer of trees has created.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/transfer/disk_status.h"
#include "cli/transfer/disk_xattrs.h"
#include "cli/transfer/tree_writer.h"

namespace kvfs::cli {

// The created file is kept, even if some attributes cannot be set.
Result<void> TreeWriter::SetAttributesIfPossible(const std::string& path, const std::string& name,
                                                 const fs::Attributes& a,
                                                 const fs::XattrMap& xattrs) {
  auto set = SetAttributes(path, name, a, xattrs);
  if (set || HasFailed()) return set;
  LeaveOutPart(fmt::format("owner, mode or times of {}", OnDisk(path)), set.error().message);
  return {};
}

// The owner first: changing it clears the setuid bit, and file capabilities. Then the extended
// attributes, while the mode still permits it. A list among them sets the mode; so the mode,
// which agrees with the list, is set last.
Result<void> TreeWriter::SetAttributes(const std::string& path, const std::string& name,
                                       const fs::Attributes& a, const fs::XattrMap& xattrs) {
  const int directory = cursor_.descriptor();
  if (is_root_ && ::fchownat(directory, name.c_str(), a.uid, a.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return Fail(name);
  }
  WriteDiskXattrs(
      PathInDirectory(directory, name), xattrs,
      [&](const std::string& xattr, const std::string& reason) {
        LeaveOutPart(fmt::format("the extended attribute {} of {}", xattr, OnDisk(path)), reason);
      });
  if (!a.IsSymbolicLink() && ::fchmodat(directory, name.c_str(), a.mode & 07777, 0) != 0) {
    return Fail(name);
  }
  const timespec times[] = {ToTimespec(a.atime), ToTimespec(a.mtime)};
  if (::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return Fail(name);
  return CheckAttributes(path, name, a);
}

// A file system silently clamps a time out of its range, and silently clears the setgid bit for a
// user outside the group.
Result<void> TreeWriter::CheckAttributes(const std::string& path, const std::string& name,
                                         const fs::Attributes& a) {
  struct stat made {};
  if (::fstatat(cursor_.descriptor(), name.c_str(), &made, AT_SYMLINK_NOFOLLOW) != 0) {
    return Fail(name);
  }
  const std::string shown = OnDisk(path);
  if (FromTimespec(made.st_mtim) != a.mtime || FromTimespec(made.st_atim) != a.atime) {
    LeaveOutPart("the time of " + shown, "its file system does not support such a time");
  }
  if (!a.IsSymbolicLink() && (made.st_mode & 07777) != (a.mode & 07777)) {
    LeaveOutPart("a bit of the mode of " + shown, "its file system does not support it");
  }
  return {};
}

}  // namespace kvfs::cli
