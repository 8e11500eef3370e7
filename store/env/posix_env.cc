// The real operating system: files, directories and the lock, one system call each.
// PosixFile and PosixLock hold what is more than that.

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "store/env/env.h"
#include "store/env/posix_error.h"
#include "store/env/posix_file.h"
#include "store/env/posix_lock.h"
#include "store/env/untrue_cache.h"

namespace kvfs {
namespace {

constexpr mode_t kOwnerOnlyDirectory = 0700;

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<void> Check(int result, std::string_view operation, const std::string& path) {
  if (result != 0) return PosixError(operation, path, errno);
  return {};
}

// A write beyond RLIMIT_FSIZE gives EFBIG, and the signal SIGXFSZ, which by default ends the
// process. Nobody's store is to end anybody's process: where nothing else was chosen the signal
// does nothing. A handler, since what is ignored would stay so in the programs that this one
// starts.
void LetSizeLimitBeAnError() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction present {};
    if (::sigaction(SIGXFSZ, nullptr, &present) != 0 || present.sa_handler != SIG_DFL) return;
    struct sigaction action {};
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGXFSZ, &action, nullptr);
  });
}

// Has btrfs write over the new, empty file in place, as other file systems do: then what was
// allocated stays enough, also on a full disk. The checksums that btrfs does without are the
// store's own.
void WriteOverInPlace(int descriptor) {
  constexpr uint32_t kBtrfs = 0x9123683e;
  struct statfs status {};
  if (::fstatfs(descriptor, &status) != 0) return;
  if (static_cast<uint32_t>(status.f_type) != kBtrfs) return;
  int flags = 0;
  if (::ioctl(descriptor, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_NOCOW_FL;
  static_cast<void>(::ioctl(descriptor, FS_IOC_SETFLAGS, &flags));
}

Result<std::unique_ptr<File>> Open(const std::string& path, int flags, std::string_view operation) {
  LetSizeLimitBeAnError();
  KVFS_ASSIGN(Descriptor descriptor, OpenDescriptor(path, flags, operation));
  if ((flags & O_CREAT) != 0) WriteOverInPlace(descriptor.number());
  struct stat status {};
  KVFS_TRY(Check(::fstat(descriptor.number(), &status), operation, path));
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalid, "cannot open " + path + ": it is not a regular file");
  }
  if ((flags & O_ACCMODE) == O_RDWR && (status.st_mode & S_ISVTX) != 0) {
    ForgetUntrueCache(descriptor.number());
  }
  return std::make_unique<PosixFile>(path, std::move(descriptor),
                                     static_cast<uint64_t>(status.st_size));
}

class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> OpenFile(const std::string& path, Access access) override {
    return Open(path, access == Access::kReadOnly ? O_RDONLY : O_RDWR, "open");
  }

  Result<std::unique_ptr<File>> CreateFile(const std::string& path) override {
    return Open(path, O_RDWR | O_CREAT | O_EXCL, "create");
  }

  Result<void> RemoveFile(const std::string& path) override {
    return Check(::unlink(path.c_str()), "remove", path);
  }

  Result<void> RenameFile(const std::string& from, const std::string& to) override {
    return Check(::rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
  }

  Result<void> CreateDirectory(const std::string& path) override {
    return Check(::mkdir(path.c_str(), kOwnerOnlyDirectory), "create directory", path);
  }

  Result<void> RemoveDirectory(const std::string& path) override {
    return Check(::rmdir(path.c_str()), "remove directory", path);
  }

  Result<void> SyncDirectory(const std::string& path) override {
    KVFS_ASSIGN(const Descriptor directory,
                OpenDescriptor(path, O_RDONLY | O_DIRECTORY, "open directory"));
    // EINVAL: the file system has nothing to sync there, and needs none.
    if (::fsync(directory.number()) == 0 || errno == EINVAL) return {};
    return PosixError("sync directory", path, errno);
  }

  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    KVFS_ASSIGN(Descriptor opened, OpenDescriptor(path, O_RDONLY | O_DIRECTORY, "list directory"));
    const std::unique_ptr<DIR, DirectoryCloser> directory(::fdopendir(opened.number()));
    if (!directory) return PosixError("list directory", path, errno);
    opened.Release();  // it is the directory's
    std::vector<std::string> names;
    while (true) {
      errno = 0;  // the only way to tell the end from a failure
      const dirent* entry = ::readdir(directory.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return PosixError("list directory", path, errno);
    return names;
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat status {};
    auto found = Check(::lstat(path.c_str(), &status), "look up", path);
    if (found) return true;
    if (found.error().code == ErrorCode::kNotFound) return false;
    return tl::unexpected<Error>(std::move(found).error());
  }

  Result<DiskSpace> GetDiskSpace(const std::string& path) override {
    struct statvfs status {};
    KVFS_TRY(Check(::statvfs(path.c_str(), &status), "ask for the disk space of", path));
    const uint64_t unit = status.f_frsize;
    return DiskSpace{.total_bytes = status.f_blocks * unit,
                     .available_bytes = status.f_bavail * unit};
  }

  uint64_t Seconds() const override {
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<uint64_t>(now.tv_sec);
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path,
                                             const std::string& holder) override {
    return PosixLock::Take(path, holder);
  }

  Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) override {
    return PosixLock::Share(path);
  }
};

}  // namespace

Env& GetPosixEnv() {
  static PosixEnv env;
  return env;
}

}  // namespace kvfs
