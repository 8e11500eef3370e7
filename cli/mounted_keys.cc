// File calls relative to the mount's root. openat2 keeps them inside the mount.

#include "cli/mounted_keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "cli/paths.h"

namespace kvfs::cli {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr unsigned kNewFileMode = 0644;

tl::unexpected<Error> FailWithErrno() {
  Error error = ErrorOfErrno(errno);
  if (errno == ENXIO) error.message = "it is a fifo or a socket";
  if (errno == ELOOP) error.message = "it is a symbolic link, or leads through one";
  return tl::unexpected(std::move(error));
}

// The components, joined by single slashes; "." for the root.
std::string Normalize(const std::string& path) {
  std::string plain;
  for (const char c : path) {
    if (c != '/' || (!plain.empty() && plain.back() != '/')) plain += c;
  }
  while (plain.ends_with('/')) plain.pop_back();
  return plain.empty() ? "." : plain;
}

struct SplitPath {
  std::string directory;
  std::string name;
};

SplitPath SplitLast(const std::string& normalized) {
  const size_t slash = normalized.rfind('/');
  if (slash == std::string::npos) return {".", normalized};
  return {normalized.substr(0, slash), normalized.substr(slash + 1)};
}

Result<void> WriteAll(int file, Bytes data) {
  while (!data.empty()) {
    const ssize_t count = ::write(file, data.data(), data.size());
    if (count < 0 && errno != EINTR) return FailWithErrno();
    if (count > 0) data = data.subspan(static_cast<size_t>(count));
  }
  return {};
}

Result<size_t> ReadSome(int file, MutableBytes out) {
  while (true) {
    const ssize_t count = ::read(file, out.data(), out.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return FailWithErrno();
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<std::vector<std::string>> ReadNames(Descriptor descriptor) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(descriptor.number()));
  if (directory == nullptr) return FailWithErrno();
  descriptor.Release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return FailWithErrno();
  std::ranges::sort(names);
  return names;
}

}  // namespace

Answer<std::unique_ptr<Keys>> MountedKeys::Open(const std::string& mount_point) {
  Descriptor root(::open(mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return Stop(ExitCode::kIoFailed, fmt::format("cannot use the store through its mount point {}: "
                                                 "{}",
                                                 mount_point, ErrorOfErrno(errno).message));
  }
  struct statfs status {};
  if (::fstatfs(root.number(), &status) != 0 || status.f_type != FUSE_SUPER_MAGIC) {
    return Stop(ExitCode::kStoreInUse,
                fmt::format("the store was unmounted from {} just now; try again", mount_point));
  }
  return std::make_unique<MountedKeys>(std::move(root));
}

Result<Descriptor> MountedKeys::OpenBeneath(const std::string& path, int flags,
                                            unsigned mode) const {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  Descriptor file(
      static_cast<int>(::syscall(SYS_openat2, root_.number(), path.c_str(), &how, sizeof how)));
  if (!file.valid()) return FailWithErrno();
  return file;
}

Result<Descriptor> MountedKeys::OpenRegular(const std::string& path, int flags,
                                            unsigned mode) const {
  // Without O_NONBLOCK a fifo would wait for its other end.
  KVFS_ASSIGN(Descriptor file, OpenBeneath(Normalize(path), flags | O_NONBLOCK, mode));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return FailWithErrno();
  if (S_ISDIR(status.st_mode)) return Fail(ErrorCode::kIsDirectory);
  if (!S_ISREG(status.st_mode)) return Fail(ErrorCode::kInvalid, "it is not a regular file");
  return file;
}

Result<void> MountedKeys::Get(const std::string& path, const ByteSink& sink) {
  KVFS_ASSIGN(const Descriptor file, OpenRegular(path, O_RDONLY));
  std::vector<std::byte> buffer(kPieceBytes);
  while (true) {
    KVFS_ASSIGN(const size_t count, ReadSome(file.number(), buffer));
    if (count == 0) return {};
    KVFS_TRY(sink(Bytes(buffer).first(count)));
  }
}

Result<void> MountedKeys::Put(const std::string& path, const ByteSource& source) {
  std::vector<std::byte> buffer(kPieceBytes);
  // Before the old value goes: a source that cannot be read changes nothing.
  KVFS_ASSIGN(size_t count, source(buffer));
  KVFS_ASSIGN(Descriptor file, OpenRegular(path, O_WRONLY | O_CREAT | O_TRUNC, kNewFileMode));
  while (count > 0) {
    KVFS_TRY(WriteAll(file.number(), Bytes(buffer).first(count)));
    KVFS_ASSIGN(count, source(buffer));
  }
  if (::fsync(file.number()) != 0 || !file.Close()) return FailWithErrno();
  return {};
}

Result<void> MountedKeys::Delete(const std::string& path) {
  const SplitPath split = SplitLast(Normalize(path));
  KVFS_ASSIGN(const Descriptor directory, OpenBeneath(split.directory, O_RDONLY | O_DIRECTORY));
  if (::unlinkat(directory.number(), split.name.c_str(), 0) != 0) return FailWithErrno();
  if (::fsync(directory.number()) != 0) return FailWithErrno();
  return {};
}

Result<std::vector<std::string>> MountedKeys::List(const std::string& path) {
  const std::string normalized = Normalize(path);
  KVFS_ASSIGN(const Descriptor found, OpenBeneath(normalized, O_PATH));
  struct stat status {};
  if (::fstat(found.number(), &status) != 0) return FailWithErrno();
  if (!S_ISDIR(status.st_mode)) return std::vector{SplitLast(normalized).name};
  KVFS_ASSIGN(Descriptor directory, OpenBeneath(normalized, O_RDONLY | O_DIRECTORY));
  return ReadNames(std::move(directory));
}

}  // namespace kvfs::cli
