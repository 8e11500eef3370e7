// The real operating system: files, directories and the lock, one system call each. Anything more
// is in PosixFile and PosixLock.

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

#include <kvfs/env.h>
#include "store/env/posix_directory.h"
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

// A write beyond RLIMIT_FSIZE fails with EFBIG, and raises SIGXFSZ, which by default kills the
// process. A store must not kill its process: unless the program has chosen otherwise, the signal
// gets a handler that does nothing. It is not ignored, since child programs would inherit that.
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

// Makes btrfs overwrite the new, empty file in place, as other file systems do: then allocated
// space suffices, even on a full disk. This disables btrfs's checksums; the store has its own.
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

Result<std::unique_ptr<File>> Use(Descriptor descriptor, const std::string& path, int flags) {
  LetSizeLimitBeAnError();
  struct stat status {};
  KVFS_TRY(Check(::fstat(descriptor.number(), &status), "open", path));
  if ((flags & O_ACCMODE) == O_RDWR && (status.st_mode & S_ISVTX) != 0) {
    ForgetUntrueCache(descriptor.number());
  }
  return std::make_unique<PosixFile>(path, std::move(descriptor),
                                     static_cast<uint64_t>(status.st_size));
}

// A resolved path: a name in an open directory.
struct Place {
  std::shared_ptr<const PosixDirectory> directory;
  std::string name;  // "." for the directory itself
};

class PosixEnv final : public Env {
 public:
  PosixEnv() = default;
  // For files in an open directory.
  PosixEnv(std::string path, PosixDirectory directory)
      : entered_path_(std::move(path)),
        entered_(std::make_shared<const PosixDirectory>(std::move(directory))) {}

  Result<std::unique_ptr<Env>> Enter(const std::string& path, bool is_new) override {
    using Links = PosixDirectory::Links;
    KVFS_ASSIGN(PosixDirectory directory,
                PosixDirectory::Open(path, is_new ? Links::kRefuse : Links::kFollow));
    return std::make_unique<PosixEnv>(path, std::move(directory));
  }

  Result<std::unique_ptr<File>> OpenFile(const std::string& path, Access access) override {
    const int flags = access == Access::kReadOnly ? O_RDONLY : O_RDWR;
    KVFS_ASSIGN(const Place at, Find(path));
    KVFS_ASSIGN(Descriptor descriptor, at.directory->OpenFile(at.name, flags, path));
    return Use(std::move(descriptor), path, flags);
  }

  Result<std::unique_ptr<File>> CreateFile(const std::string& path) override {
    KVFS_ASSIGN(const Place at, Find(path));
    KVFS_ASSIGN(Descriptor descriptor, at.directory->CreateFile(at.name, path));
    WriteOverInPlace(descriptor.number());
    return Use(std::move(descriptor), path, O_RDWR);
  }

  Result<void> RemoveFile(const std::string& path) override {
    KVFS_ASSIGN(const Place at, Find(path));
    return Check(::unlinkat(at.directory->number(), at.name.c_str(), 0), "remove", path);
  }

  Result<void> RenameFile(const std::string& from, const std::string& to) override {
    KVFS_ASSIGN(const Place source, Find(from));
    KVFS_ASSIGN(const Place target, Find(to));
    return Check(::renameat(source.directory->number(), source.name.c_str(),
                            target.directory->number(), target.name.c_str()),
                 "rename", from + " to " + to);
  }

  // The store's directory belongs to its creator; directories in it belong to its owner.
  Result<void> CreateDirectory(const std::string& path) override {
    KVFS_ASSIGN(const Place at, Find(path));
    if (entered_) return at.directory->CreateDirectory(at.name, path);
    return Check(::mkdirat(at.directory->number(), at.name.c_str(), kOwnerOnlyDirectory),
                 "create directory", path);
  }

  Result<void> RemoveDirectory(const std::string& path) override {
    KVFS_ASSIGN(const Place at, Find(path));
    return Check(::unlinkat(at.directory->number(), at.name.c_str(), AT_REMOVEDIR),
                 "remove directory", path);
  }

  Result<void> SyncDirectory(const std::string& path) override {
    KVFS_ASSIGN(const Descriptor directory, OpenToRead(path, "open directory"));
    // EINVAL: the file system has nothing to sync there, and needs none.
    if (::fsync(directory.number()) == 0 || errno == EINVAL) return {};
    return PosixError("sync directory", path, errno);
  }

  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    KVFS_ASSIGN(Descriptor opened, OpenToRead(path, "list directory"));
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
    auto found = Find(path).and_then([&](const Place& at) {
      return Check(::fstatat(at.directory->number(), at.name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "look up", path);
    });
    if (found) return true;
    if (found.error().code == ErrorCode::kNotFound) return false;
    return tl::unexpected<Error>(std::move(found).error());
  }

  Result<DiskSpace> GetDiskSpace(const std::string& path) override {
    struct statvfs status {};
    KVFS_TRY(Check(IsEntered(path) ? ::fstatvfs(entered_->number(), &status)
                                   : ::statvfs(path.c_str(), &status),
                   "ask for the disk space of", path));
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
    KVFS_ASSIGN(const Place at, Find(path));
    KVFS_ASSIGN(Descriptor file, OpenOrCreate(at, path));
    return PosixLock::Take(path, std::move(file), holder);
  }

  Result<std::unique_ptr<FileLock>> ShareLock(const std::string& path) override {
    auto file = Find(path).and_then(
        [&](const Place& at) { return at.directory->OpenFile(at.name, O_RDONLY, path); });
    if (file) return PosixLock::Share(path, *std::move(file));
    if (file.error().code == ErrorCode::kNotFound) return PosixLock::ShareNothing();
    return tl::unexpected<Error>(std::move(file).error());
  }

 private:
  bool IsEntered(const std::string& path) const { return entered_ && path == entered_path_; }

  // Below the entered directory, names are resolved one by one; for any other path, the system
  // resolves everything before the last name.
  Result<Place> Find(const std::string& path) const {
    if (IsEntered(path)) return Place{entered_, "."};
    const size_t last = path.rfind('/');
    if (!entered_ || !path.starts_with(entered_path_ + "/")) {
      KVFS_ASSIGN(PosixDirectory directory, PosixDirectory::OpenAbove(path));
      return Place{std::make_shared<const PosixDirectory>(std::move(directory)),
                   last + 1 == path.size() ? "." : path.substr(last + 1)};
    }
    Place at{entered_, {}};
    size_t begin = entered_path_.size() + 1;
    while (begin <= last) {
      const size_t end = path.find('/', begin);
      KVFS_ASSIGN(PosixDirectory next, at.directory->OpenDirectory(path.substr(begin, end - begin),
                                                                   path.substr(0, end)));
      at.directory = std::make_shared<const PosixDirectory>(std::move(next));
      begin = end + 1;
    }
    at.name = path.substr(begin);
    return at;
  }

  Result<Descriptor> OpenToRead(const std::string& path, std::string_view operation) const {
    if (!entered_ || !path.starts_with(entered_path_)) {
      return OpenDescriptor(path, O_RDONLY | O_DIRECTORY, operation);
    }
    KVFS_ASSIGN(const Place at, Find(path + (IsEntered(path) ? "" : "/.")));
    return at.directory->OpenSelf(operation, path);
  }

  // If two processes create the lock at once, one of them finds it existing.
  static Result<Descriptor> OpenOrCreate(const Place& at, const std::string& path) {
    while (true) {
      auto opened = at.directory->OpenFile(at.name, O_RDWR, path);
      if (opened || opened.error().code != ErrorCode::kNotFound) return opened;
      auto created = at.directory->CreateFile(at.name, path);
      if (created) WriteOverInPlace(created->number());
      if (created || created.error().code != ErrorCode::kExists) return created;
    }
  }

  const std::string entered_path_;
  const std::shared_ptr<const PosixDirectory> entered_;
};

}  // namespace

Env& GetPosixEnv() {
  static PosixEnv env;
  return env;
}

}  // namespace kvfs
