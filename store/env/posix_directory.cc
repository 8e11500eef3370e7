// Each file is checked twice: before it is opened, since opening a device or a FIFO has side
// effects, and after, since only then it can no longer be replaced.

#include "store/env/posix_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace kvfs {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnerOnlyDirectory = 0700;
// Does not wait for the other end of a FIFO, nor for a lease; never becomes the controlling
// terminal.
constexpr int kCarefully = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int kDirectoryOnly = O_PATH | O_DIRECTORY | O_CLOEXEC;

tl::unexpected<Error> Refuse(const std::string& shown, const std::string& why) {
  return Fail(ErrorCode::kPermission, "will not use " + shown + ": " + why);
}

Result<Descriptor> OpenAt(int directory, const std::string& name, int flags,
                          std::string_view operation, const std::string& shown) {
  while (true) {
    const int number =
        OpenAboveStreams([&] { return ::openat(directory, name.c_str(), flags, kOwnerOnly); });
    if (number >= 0) return Descriptor(number);
    if (errno != EINTR) return PosixError(operation, shown, errno);
  }
}

Result<struct stat> StatusOf(int number, const std::string& shown) {
  struct stat status {};
  if (::fstat(number, &status) != 0) return PosixError("look at", shown, errno);
  return status;
}

}  // namespace

Result<PosixDirectory> PosixDirectory::Open(const std::string& path, Links links) {
  const int flags = kDirectoryOnly | (links == Links::kRefuse ? O_NOFOLLOW : 0);
  KVFS_ASSIGN(Descriptor opened, OpenAt(AT_FDCWD, path, flags, "open directory", path));
  return Take(std::move(opened), path);
}

Result<PosixDirectory> PosixDirectory::OpenAbove(const std::string& path) {
  const size_t last = path.rfind('/');
  const std::string above = last == std::string::npos ? "." : path.substr(0, last + 1);
  KVFS_ASSIGN(Descriptor opened, OpenAt(AT_FDCWD, above, kDirectoryOnly, "reach", path));
  return Take(std::move(opened), path);
}

Result<PosixDirectory> PosixDirectory::Take(Descriptor descriptor, const std::string& shown) {
  KVFS_ASSIGN(const struct stat status, StatusOf(descriptor.number(), shown));
  return PosixDirectory(std::move(descriptor), status.st_uid, status.st_gid);
}

Result<PosixDirectory> PosixDirectory::OpenDirectory(const std::string& name,
                                                     const std::string& shown) const {
  struct stat found {};
  if (::fstatat(number(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return PosixError("open directory", shown, errno);
  }
  if (S_ISLNK(found.st_mode)) {
    return Refuse(shown, "it is a symbolic link, where a directory belongs");
  }
  if (!S_ISDIR(found.st_mode)) return Refuse(shown, "it is not a directory");
  KVFS_ASSIGN(Descriptor opened,
              OpenAt(number(), name, kDirectoryOnly | O_NOFOLLOW, "open directory", shown));
  KVFS_ASSIGN(const struct stat status, StatusOf(opened.number(), shown));
  KVFS_TRY(CheckOwner(status, shown));
  return PosixDirectory(std::move(opened), owner_, group_);
}

Result<Descriptor> PosixDirectory::OpenFile(const std::string& name, int flags,
                                            const std::string& shown) const {
  struct stat found {};
  if (::fstatat(number(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    return PosixError("open", shown, errno);
  }
  KVFS_TRY(CheckKind(found, shown));
  KVFS_ASSIGN(Descriptor opened, OpenAt(number(), name, flags | kCarefully, "open", shown));
  KVFS_ASSIGN(const struct stat status, StatusOf(opened.number(), shown));
  KVFS_TRY(CheckKind(status, shown));
  return opened;
}

Result<Descriptor> PosixDirectory::CreateFile(const std::string& name,
                                              const std::string& shown) const {
  KVFS_ASSIGN(Descriptor created,
              OpenAt(number(), name, O_RDWR | O_CREAT | O_EXCL | kCarefully, "create", shown));
  auto given = GiveToOwner(created.number(), shown);
  if (given) return created;
  ::unlinkat(number(), name.c_str(), 0);
  return tl::unexpected<Error>(std::move(given).error());
}

Result<void> PosixDirectory::CreateDirectory(const std::string& name,
                                             const std::string& shown) const {
  if (::mkdirat(number(), name.c_str(), kOwnerOnlyDirectory) != 0) {
    return PosixError("create directory", shown, errno);
  }
  KVFS_ASSIGN(const Descriptor created,
              OpenAt(number(), name, O_RDONLY | O_DIRECTORY | kCarefully, "open directory", shown));
  return GiveToOwner(created.number(), shown);
}

Result<Descriptor> PosixDirectory::OpenSelf(std::string_view operation,
                                            const std::string& shown) const {
  return OpenAt(number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, operation, shown);
}

Result<void> PosixDirectory::CheckKind(const struct stat& found, const std::string& shown) const {
  if (S_ISLNK(found.st_mode)) return Refuse(shown, "it is a symbolic link, where a file belongs");
  if (!S_ISREG(found.st_mode)) return Refuse(shown, "it is not a regular file");
  if (found.st_nlink > 1) {
    return Refuse(shown,
                  "it is hard-linked, and may be a file from elsewhere; a copy of it in its "
                  "place would do");
  }
  return CheckOwner(found, shown);
}

Result<void> PosixDirectory::CheckOwner(const struct stat& found, const std::string& shown) const {
  if (found.st_uid == owner_ || (owner_ == 0 && found.st_uid == ::geteuid())) return {};
  return Refuse(shown, "it belongs to user " + std::to_string(found.st_uid) +
                           ", and the directory to user " + std::to_string(owner_));
}

// In a directory owned by root, a service's own files keep their owner.
Result<void> PosixDirectory::GiveToOwner(int number, const std::string& shown) const {
  KVFS_ASSIGN(const struct stat status, StatusOf(number, shown));
  if (CheckOwner(status, shown)) return {};
  if (::fchown(number, owner_, group_) == 0) return {};
  return PosixError("give to its directory's owner", shown, errno);
}

}  // namespace kvfs
