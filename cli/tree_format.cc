// Paths of the disk are opened from their directory's descriptor, so that no link that comes in
// between leads elsewhere. The attributes of directories are set last: what is made in one changes
// its times, and may not be possible under its mode.

#include "cli/tree_format.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cli/descriptor.h"
#include "cli/disk_xattrs.h"
#include "cli/interruption.h"
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

tl::unexpected<Error> FailWith(const std::string& path, const Error& error) {
  return Fail(error.code, fmt::format("{}: {}", path, error.message));
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

uint64_t SizeOf(const struct stat& status) { return static_cast<uint64_t>(status.st_size); }

// The content of an open file, its holes passed over.
class DiskContent {
 public:
  DiskContent(std::shared_ptr<const Descriptor> file, std::string shown, bool may_have_holes)
      : file_(std::move(file)), shown_(std::move(shown)), may_have_holes_(may_have_holes) {}

  Result<fs::ContentPiece> operator()(MutableBytes buffer) {
    KVFS_ASSIGN(const uint64_t hole, PassHole());
    while (true) {
      const size_t wanted = std::min<uint64_t>(buffer.size(), data_end_ - at_);
      const ssize_t count =
          ::pread(file_->number(), buffer.data(), wanted, static_cast<off_t>(at_));
      if (count >= 0) {
        at_ += static_cast<uint64_t>(count);
        return fs::ContentPiece{hole, static_cast<size_t>(count)};
      }
      if (errno != EINTR) return FailNaming(shown_);
      KVFS_TRY(CheckNotInterrupted());
    }
  }

 private:
  // To where the next data begin, or to the end; and finds out where they end.
  Result<uint64_t> PassHole() {
    if (!may_have_holes_ || at_ < data_end_) return 0;
    const uint64_t before = at_;
    const off_t data = ::lseek(file_->number(), static_cast<off_t>(at_), SEEK_DATA);
    if (data < 0 && errno != ENXIO) return StopLooking();
    if (data < 0) {
      struct stat status {};
      if (::fstat(file_->number(), &status) != 0) return FailNaming(shown_);
      at_ = data_end_ = std::max(at_, SizeOf(status));
      return at_ - before;
    }
    const off_t hole = ::lseek(file_->number(), data, SEEK_HOLE);
    if (hole < 0) return StopLooking();
    at_ = static_cast<uint64_t>(data);
    data_end_ = static_cast<uint64_t>(hole);
    return at_ - before;
  }
  // A file system that cannot tell.
  uint64_t StopLooking() {
    may_have_holes_ = false;
    data_end_ = UINT64_MAX;
    return 0;
  }

  const std::shared_ptr<const Descriptor> file_;
  const std::string shown_;
  bool may_have_holes_;
  uint64_t at_ = 0;
  uint64_t data_end_ = may_have_holes_ ? 0 : UINT64_MAX;
};

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
    KVFS_ASSIGN(entry.xattrs, XattrsOf(directory.number(), ".", path, status));
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
    KVFS_ASSIGN(entry.xattrs, XattrsOf(directory, name, path, status));
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
    const uint64_t size = SizeOf(status);
    if (size > kLargeContentBytes) {
      const bool may_have_holes = static_cast<uint64_t>(status.st_blocks) * 512 < size;
      entry.large = DiskContent(file, shown, may_have_holes);
      return sink_.Add(std::move(entry));
    }
    // One byte more than expected tells the end in one read.
    DiskContent content(file, shown, /*may_have_holes=*/false);
    std::string& data = entry.data;
    size_t filled = 0;
    data.resize(size + 1);
    while (true) {
      KVFS_ASSIGN(const fs::ContentPiece piece,
                  content(std::as_writable_bytes(std::span(data).subspan(filled))));
      filled += piece.bytes;
      if (piece.bytes == 0 || filled < data.size()) break;
      data.resize(2 * filled);
    }
    data.resize(filled);
    return sink_.Add(std::move(entry));
  }

  // None where the file system has none: it is asked once.
  Result<std::optional<fs::XattrMap>> XattrsOf(int directory, const std::string& name,
                                               const std::string& path, const struct stat& status) {
    if (without_xattrs_.contains(status.st_dev)) return fs::XattrMap();
    bool has_any = true;
    auto xattrs = ReadDiskXattrs(
        PathInDirectory(directory, name),
        [&](const std::string& xattr, const std::string& reason) {
          fmt::print(stderr, "kvfs: left out the extended attribute {} of {}: {}\n", xattr,
                     OnDisk(path), reason);
        },
        &has_any);
    if (!xattrs) return FailWith(OnDisk(path), xattrs.error());
    if (!has_any) without_xattrs_.insert(status.st_dev);
    return *std::move(xattrs);
  }

  const std::string top_;
  EntrySink& sink_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  // the first path of each
  std::set<dev_t> without_xattrs_;
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
    if (a.IsDirectory()) return AddDirectory(keys, key, target);
    if (const auto first = FirstNameOf(key.inode, target)) {
      if (::link(first->c_str(), target.c_str()) != 0) return FailNaming(target);
      return {};
    }
    KVFS_TRY(Make(keys, key, target));
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key));
    return SetAttributes(target, a, xattrs);
  }

  Result<void> Finish() override {
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
      KVFS_TRY(SetAttributes(at->path, at->attributes, at->xattrs));
    }
    return {};
  }

 private:
  struct Directory {
    std::string path;
    fs::Attributes attributes;
    fs::XattrMap xattrs;
  };

  static Result<fs::XattrMap> XattrsOf(Keys& keys, const WalkedKey& key) {
    if (!key.inode.attributes.has_xattrs) return fs::XattrMap();
    return keys.GetXattrs(key.path);
  }

  Result<void> AddDirectory(Keys& keys, const WalkedKey& key, const std::string& target) {
    if (target != top_ && ::mkdir(target.c_str(), 0700) != 0) return FailNaming(target);
    KVFS_ASSIGN(fs::XattrMap xattrs, XattrsOf(keys, key));
    directories_.push_back({target, key.inode.attributes, std::move(xattrs)});
    return {};
  }

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

  // What is not written is a hole.
  static Result<void> MakeFile(Keys& keys, const WalkedKey& key, const std::string& target) {
    Descriptor file(
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return FailNaming(target);
    uint64_t written_end = 0;
    KVFS_ASSIGN(const uint64_t size,
                keys.GetData(key.path, [&](uint64_t offset, Bytes piece) -> Result<void> {
                  for (const fs::ByteRange& range : fs::DataRangesOf(piece)) {
                    const Bytes data = piece.subspan(range.offset, range.length);
                    KVFS_TRY(Write(file.number(), offset + range.offset, data, target));
                    written_end = offset + range.offset + range.length;
                  }
                  return {};
                }));
    if (written_end < size && ::ftruncate(file.number(), static_cast<off_t>(size)) != 0) {
      return FailNaming(target);
    }
    if (!file.Close()) return FailNaming(target);
    return {};
  }

  static Result<void> Write(int file, uint64_t offset, Bytes data, const std::string& target) {
    while (!data.empty()) {
      const ssize_t count = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
      if (count < 0 && errno != EINTR) return FailNaming(target);
      if (count <= 0) continue;
      data = data.subspan(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return {};
  }

  // The owner first: to change it clears the setuid bit, and file capabilities. Then the extended
  // attributes, as long as the mode allows it.
  Result<void> SetAttributes(const std::string& target, const fs::Attributes& a,
                             const fs::XattrMap& xattrs) {
    if (is_root_ && ::lchown(target.c_str(), a.uid, a.gid) != 0) return FailNaming(target);
    WriteDiskXattrs(target, xattrs, [&](const std::string& name, const std::string& reason) {
      Skip(target, fmt::format("the extended attribute {}: {}", name, reason));
    });
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
  std::vector<Directory> directories_;
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
