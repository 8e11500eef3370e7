// Paths of the disk are opened from their directory's descriptor, so that no link that comes in
// between leads elsewhere. The times of directories are set last.

#include "cli/tree_format.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "cli/descriptor.h"
#include "cli/paths.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxTargetBytes = 4096;

tl::unexpected<Error> FailNaming(const std::string& path) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("{}: {}", path, error.message);
  error.code = error.code == ErrorCode::kNoSpace ? error.code : ErrorCode::kIo;
  return tl::unexpected(std::move(error));
}

fs::Timespec FromTimespec(const timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

timespec ToTimespec(const fs::Timespec& time) {
  timespec out{};
  out.tv_sec = time.seconds;
  out.tv_nsec = time.nanoseconds;
  return out;
}

fs::Attributes AttributesOf(const struct stat& status) {
  fs::Attributes a;
  a.mode = status.st_mode;
  a.uid = status.st_uid;
  a.gid = status.st_gid;
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) a.device = status.st_rdev;
  a.atime = FromTimespec(status.st_atim);
  a.mtime = FromTimespec(status.st_mtim);
  a.ctime = FromTimespec(status.st_ctim);
  return a;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class TreeReader {
 public:
  TreeReader(std::string top, EntrySink& sink) : top_(std::move(top)), sink_(sink) {}

  Result<void> Run() {
    struct stat status {};
    if (::lstat(top_.c_str(), &status) != 0) return FailNaming(top_);
    const size_t slash = top_.rfind('/');
    if (!S_ISDIR(status.st_mode)) {
      Descriptor above(
          ::open(top_.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!above.valid()) return FailNaming(top_);
      return AddOther(above.number(), top_.substr(slash + 1), top_.substr(slash + 1), status);
    }
    Descriptor directory(::open(top_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return FailNaming(top_);
    return AddDirectory(std::move(directory), "", status);
  }

 private:
  std::string OnDisk(const std::string& path) const {
    return path.empty() ? top_ : top_ + "/" + path;
  }

  static Result<std::vector<std::string>> Names(int directory, const std::string& shown) {
    const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own));
    if (stream == nullptr) return FailNaming(shown);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* const entry = ::readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return FailNaming(shown);
    std::ranges::sort(names);
    return names;
  }

  Result<void> AddDirectory(Descriptor directory, const std::string& path,
                            const struct stat& status) {
    IncomingEntry entry;
    entry.path = path;
    entry.attributes = AttributesOf(status);
    KVFS_TRY(sink_.Add(std::move(entry)));
    KVFS_ASSIGN(const auto names, Names(directory.number(), OnDisk(path)));
    for (const std::string& name : names) {
      KVFS_TRY(AddAny(directory.number(), name, JoinKeyPath(path, name)));
    }
    return {};
  }

  Result<void> AddAny(int directory, const std::string& name, const std::string& path) {
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return FailNaming(OnDisk(path));
    }
    if (!S_ISDIR(status.st_mode)) return AddOther(directory, name, path, status);
    Descriptor below(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below.valid()) return FailNaming(OnDisk(path));
    return AddDirectory(std::move(below), path, status);
  }

  Result<void> AddOther(int directory, const std::string& name, const std::string& path,
                        const struct stat& status) {
    const auto inode = std::pair(status.st_dev, status.st_ino);
    if (status.st_nlink > 1) {
      const auto [first, is_first] = links_.emplace(inode, path);
      if (!is_first) return sink_.AddLink(path, first->second);
    }
    IncomingEntry entry;
    entry.path = path;
    entry.attributes = AttributesOf(status);
    if (S_ISLNK(status.st_mode)) {
      std::string target(kMaxTargetBytes, '\0');
      const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
      if (length < 0) return FailNaming(OnDisk(path));
      entry.data = target.substr(0, static_cast<size_t>(length));
    }
    if (!S_ISREG(status.st_mode)) return sink_.Add(std::move(entry));
    return AddFile(directory, name, std::move(entry));
  }

  Result<void> AddFile(int directory, const std::string& name, IncomingEntry entry) {
    const std::string shown = OnDisk(entry.path);
    const auto file = std::make_shared<Descriptor>(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file->valid() || ::fstat(file->number(), &status) != 0) return FailNaming(shown);
    const ByteSource content = [file, shown](MutableBytes buffer) -> Result<size_t> {
      while (true) {
        const ssize_t count = ::read(file->number(), buffer.data(), buffer.size());
        if (count >= 0) return static_cast<size_t>(count);
        if (errno != EINTR) return FailNaming(shown);
      }
    };
    if (static_cast<uint64_t>(status.st_size) > kLargeContentBytes) {
      entry.large = content;
      return sink_.Add(std::move(entry));
    }
    // One byte more than expected tells the end in one read.
    std::string& data = entry.data;
    size_t filled = 0;
    data.resize(static_cast<size_t>(status.st_size) + 1);
    while (true) {
      KVFS_ASSIGN(const size_t count,
                  content(std::as_writable_bytes(std::span(data).subspan(filled))));
      filled += count;
      if (count == 0) break;
      if (filled == data.size()) data.resize(2 * filled);
    }
    data.resize(filled);
    return sink_.Add(std::move(entry));
  }

  const std::string top_;
  EntrySink& sink_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  // the first path of each
};

class TreeWriter final : public EntryWriter {
 public:
  explicit TreeWriter(std::string top) : top_(std::move(top)), is_root_(::geteuid() == 0) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    const std::string target = path.empty() ? top_ : top_ + "/" + path;
    if (S_ISSOCK(a.mode) || ((S_ISCHR(a.mode) || S_ISBLK(a.mode)) && !is_root_)) {
      Skip(path, "only root makes devices, and nobody sockets");
      return {};
    }
    if (a.IsDirectory()) {
      if (!path.empty() && ::mkdir(target.c_str(), 0700) != 0) return FailNaming(target);
      directories_.emplace_back(target, a);
      return {};
    }
    KVFS_TRY(Make(keys, key, target));
    return SetAttributes(target, a);
  }

  Result<void> Finish() override {
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
      KVFS_TRY(SetAttributes(at->first, at->second));
    }
    return {};
  }

 private:
  static Result<void> Make(Keys& keys, const WalkedKey& key, const std::string& target) {
    const fs::Attributes& a = key.inode.attributes;
    if (a.IsRegular()) return MakeFile(keys, key, target);
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string text, keys.ReadLink(key.path));
      if (::symlink(text.c_str(), target.c_str()) != 0) return FailNaming(target);
    } else if (::mknod(target.c_str(), (a.mode & S_IFMT) | 0600, a.device) != 0) {
      return FailNaming(target);
    }
    return {};
  }

  static Result<void> MakeFile(Keys& keys, const WalkedKey& key, const std::string& target) {
    Descriptor file(
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return FailNaming(target);
    KVFS_TRY(keys.Get(key.path, [&](Bytes piece) -> Result<void> {
      while (!piece.empty()) {
        const ssize_t count = ::write(file.number(), piece.data(), piece.size());
        if (count < 0 && errno != EINTR) return FailNaming(target);
        if (count > 0) piece = piece.subspan(static_cast<size_t>(count));
      }
      return {};
    }));
    if (!file.Close()) return FailNaming(target);
    return {};
  }

  // The owner first: to change it clears the setuid bit.
  Result<void> SetAttributes(const std::string& target, const fs::Attributes& a) const {
    if (is_root_ && ::lchown(target.c_str(), a.uid, a.gid) != 0) return FailNaming(target);
    if (!a.IsSymbolicLink() && ::chmod(target.c_str(), a.mode & 07777) != 0) {
      return FailNaming(target);
    }
    const timespec times[] = {ToTimespec(a.atime), ToTimespec(a.mtime)};
    if (::utimensat(AT_FDCWD, target.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
      return FailNaming(target);
    }
    return {};
  }

  const std::string top_;
  const bool is_root_;
  std::vector<std::pair<std::string, fs::Attributes>> directories_;
};

}  // namespace

Result<void> ReadTree(const std::string& path, EntrySink& sink) {
  KVFS_ASSIGN(std::string top, ResolvePath(path));
  return TreeReader(std::move(top), sink).Run();
}

std::unique_ptr<EntryWriter> MakeTreeWriter(const std::string& path) {
  return std::make_unique<TreeWriter>(path);
}

}  // namespace kvfs::cli
