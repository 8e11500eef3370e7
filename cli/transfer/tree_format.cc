// Files on disk are opened relative to their directory's descriptor, so that a planted link leads
// nowhere else. The attributes of directories are set last: creating children changes a directory's
// times, and its mode may forbid it.

#include "cli/transfer/tree_format.h"

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

#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/transfer/disk_xattrs.h"
#include "cli/transfer/path_table.h"
#include "cli/transfer/tree_cursor.h"

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

// The content of an open file, without its holes.
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
  // Moves to the next data, or to the end; and finds the end of the data.
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
  // The file system cannot report holes.
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

// Whether the error is a shortage of this process, and not a fault of an entry.
bool IsOfMachine(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

// An unreadable entry is reported and skipped, like in tar(1).
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
    auto cursor = TreeCursor::Open(top_);
    if (!cursor) return FailWith(top_, cursor.error());
    cursor_ = &*cursor;
    KVFS_TRY(AddDirectory(status));
    return ReadLevels();
  }

 private:
  struct Level {
    std::vector<std::string> names;
    size_t next = 0;
  };

  std::string OnDisk(const std::string& path) const {
    return path.empty() ? top_ : top_ + "/" + path;
  }

  // Skips an unreadable entry, so that the others can be read.
  Result<void> PassOver(const std::string& path, std::string_view what = "") {
    const int error_number = errno;
    // Without the top there are no others.
    if (IsOfMachine(error_number) || path.empty()) return FailNaming(OnDisk(path));
    sink_.LeaveOut(fmt::format("{}{}", what, OnDisk(path)), ErrorOfErrno(error_number).message);
    return {};
  }

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
        return FailWith(OnDisk(cursor_->path()), left.error());
    }
    return {};
  }

  Result<std::vector<std::string>> Names() {
    const std::string& path = cursor_->path();
    const int own = ::openat(cursor_->descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::vector<std::string> names;
    if (own < 0) return PassOver(path, "what is in ").map([&] { return names; });
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own));
    if (stream == nullptr) return PassOver(path, "what is in ").map([&] { return names; });
    errno = 0;
    while (const dirent* const entry = ::readdir(stream.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) KVFS_TRY(PassOver(path, "a part of what is in "));
    std::ranges::sort(names);
    return names;
  }

  // Adds the cursor's current directory.
  Result<void> AddDirectory(const struct stat& status) {
    IncomingEntry entry;
    entry.path = cursor_->path();
    entry.attributes = AttributesOf(status);
    KVFS_ASSIGN(entry.xattrs, XattrsOf(cursor_->descriptor(), ".", entry.path, status));
    KVFS_TRY(sink_.Add(std::move(entry)));
    KVFS_ASSIGN(auto names, Names());
    levels_.push_back({std::move(names)});
    return {};
  }

  Result<void> AddAny(const std::string& name) {
    const std::string path = JoinKeyPath(cursor_->path(), name);
    const int directory = cursor_->descriptor();
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return PassOver(path);
    }
    if (!S_ISDIR(status.st_mode)) return AddOther(directory, name, path, status);
    const auto entered = cursor_->Enter(name);
    if (entered) return AddDirectory(status);
    if (IsOfMachine(errno)) return FailWith(OnDisk(path), entered.error());
    sink_.LeaveOut(OnDisk(path) + " and what is in it", entered.error().message);
    return {};
  }

  Result<void> AddOther(int directory, const std::string& name, const std::string& path,
                        const struct stat& status) {
    const auto inode = std::pair(status.st_dev, status.st_ino);
    if (status.st_nlink > 1) {
      const auto first = links_.find(inode);
      if (first != links_.end()) return sink_.AddLink(path, paths_.PathOf(first->second));
    }
    IncomingEntry entry;
    entry.path = path;
    entry.attributes = AttributesOf(status);
    KVFS_ASSIGN(entry.xattrs, XattrsOf(directory, name, path, status));
    if (S_ISLNK(status.st_mode)) {
      std::string target(kMaxTargetBytes, '\0');
      const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
      if (length < 0) return PassOver(path);
      entry.data = target.substr(0, static_cast<size_t>(length));
    }
    if (S_ISREG(status.st_mode)) return AddFile(directory, name, std::move(entry), inode, status);
    if (status.st_nlink > 1) links_.emplace(inode, paths_.Add(path));
    return sink_.Add(std::move(entry));
  }

  using Inode = std::pair<dev_t, ino_t>;

  Result<void> AddFile(int directory, const std::string& name, IncomingEntry entry,
                       const Inode& inode, const struct stat& named) {
    const std::string path = entry.path;
    const auto file = std::make_shared<Descriptor>(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!file->valid() || ::fstat(file->number(), &status) != 0) return PassOver(path);
    const uint64_t size = SizeOf(status);
    bool has_failed = false;
    if (size > kLargeContentBytes) {
      const bool may_have_holes = static_cast<uint64_t>(status.st_blocks) * 512 < size;
      entry.large = [&has_failed, content = DiskContent(file, OnDisk(path), may_have_holes)](
                        MutableBytes buffer) mutable {
        auto piece = content(buffer);
        has_failed = !piece;
        return piece;
      };
    } else {
      auto data = ReadSmall(DiskContent(file, OnDisk(path), /*may_have_holes=*/false), size);
      if (!data) return LeaveOutUnreadable(path, data.error());
      entry.data = *std::move(data);
    }
    const auto added = sink_.Add(std::move(entry));
    if (!added && has_failed) return LeaveOutUnreadable(path, added.error());
    if (added && named.st_nlink > 1) links_.emplace(inode, paths_.Add(path));
    return added;
  }

  Result<void> LeaveOutUnreadable(const std::string& path, const Error& error) {
    KVFS_TRY(CheckNotInterrupted());
    sink_.LeaveOut(OnDisk(path), error.message);
    return {};
  }

  // Reading one byte more than expected detects the end with one read.
  static Result<std::string> ReadSmall(DiskContent content, uint64_t size) {
    std::string data;
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
    return data;
  }

  // Nothing if the file system has no extended attributes, which is detected once.
  Result<std::optional<fs::XattrMap>> XattrsOf(int directory, const std::string& name,
                                               const std::string& path, const struct stat& status) {
    if (without_xattrs_.contains(status.st_dev)) return fs::XattrMap();
    bool has_any = true;
    auto xattrs = ReadDiskXattrs(
        PathInDirectory(directory, name),
        [&](const std::string& xattr, const std::string& reason) {
          sink_.LeaveOutPart(fmt::format("the extended attribute {} of {}", xattr, OnDisk(path)),
                             reason);
        },
        &has_any);
    if (!xattrs) {
      sink_.LeaveOutPart(fmt::format("the extended attributes of {}", OnDisk(path)),
                         xattrs.error().message);
      return fs::XattrMap();
    }
    if (!has_any) without_xattrs_.insert(status.st_dev);
    return *std::move(xattrs);
  }

  const std::string top_;
  EntrySink& sink_;
  TreeCursor* cursor_ = nullptr;
  std::vector<Level> levels_;
  PathTable paths_;
  std::map<Inode, size_t> links_;  // the first path of each
  std::set<dev_t> without_xattrs_;
};

// Everything is created relative to an open directory, so that a name replaced by a link meanwhile
// leads nowhere else, and attributes are set on the created files.
class TreeWriter final : public EntryWriter {
 public:
  TreeWriter(std::string top, TreeCursor cursor, TreeCursor links)
      : top_(std::move(top)),
        cursor_(std::move(cursor)),
        links_(std::move(links)),
        is_root_(::geteuid() == 0) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    const size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
    const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    KVFS_TRY(MoveTo(cursor_, above));
    if (a.IsDirectory()) return AddDirectory(keys, key, path, name);
    if (const auto first = FirstNameOf(key.inode, path)) return Link(*first, path, name);
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
    KVFS_TRY(Make(keys, key, name));
    return SetAttributesIfPossible(path, name, a, xattrs);
  }

  Result<void> Finish() override {
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
      const std::string path = directory_paths_.PathOf(at->path);
      const size_t slash = path.rfind('/');
      KVFS_TRY(MoveTo(cursor_, slash == std::string::npos ? "" : path.substr(0, slash)));
      const std::string name =
          path.empty() ? "." : path.substr(slash == std::string::npos ? 0 : slash + 1);
      KVFS_TRY(SetAttributesIfPossible(path, name, at->attributes, at->xattrs));
    }
    return {};
  }

 private:
  struct Directory {
    size_t path;  // in directory_paths_
    fs::Attributes attributes;
    fs::XattrMap xattrs;
  };

  Result<void> MoveTo(TreeCursor& cursor, std::string_view path) {
    auto moved = cursor.MoveTo(path);
    if (moved) return {};
    NoteFailure();
    return FailWith(fmt::format("{}/{}", top_, path), moved.error());
  }

  // Names, kinds and lengths that the file system does not support concern only this entry.
  Result<void> Fail(const std::string& name) {
    const bool is_too_long = errno == EFBIG;  // others may be shorter
    Error error = ErrorOfErrno(errno);
    if (is_too_long) error.code = ErrorCode::kTooLarge;
    const bool is_own = is_too_long || error.code == ErrorCode::kPermission ||
                        error.code == ErrorCode::kExists || error.code == ErrorCode::kInvalid ||
                        error.code == ErrorCode::kNameTooLong;
    if (!is_own) NoteFailure();
    if (!is_own && error.code != ErrorCode::kNoSpace) error.code = ErrorCode::kIo;
    return FailWith(fmt::format("{}/{}", OnDisk(cursor_.path()), name), error);
  }
  std::string OnDisk(const std::string& path) const {
    return path.empty() ? top_ : top_ + "/" + path;
  }

  Result<void> AddDirectory(Keys& keys, const WalkedKey& key, const std::string& path,
                            const std::string& name) {
    KVFS_ASSIGN(fs::XattrMap xattrs, XattrsOf(keys, key, path));
    if (!path.empty() && ::mkdirat(cursor_.descriptor(), name.c_str(), 0700) != 0) {
      return Fail(name);
    }
    directories_.push_back({directory_paths_.Add(path), key.inode.attributes, std::move(xattrs)});
    return {};
  }

  Result<void> Link(const std::string& first, const std::string& path, const std::string& name) {
    const size_t slash = first.rfind('/');
    KVFS_TRY(MoveTo(links_, slash == std::string::npos ? "" : first.substr(0, slash)));
    const std::string from = first.substr(slash == std::string::npos ? 0 : slash + 1);
    if (::linkat(links_.descriptor(), from.c_str(), cursor_.descriptor(), name.c_str(), 0) == 0) {
      return {};
    }
    return Fail(path);
  }

  Result<void> Make(Keys& keys, const WalkedKey& key, const std::string& name) {
    const fs::Attributes& a = key.inode.attributes;
    const int directory = cursor_.descriptor();
    if (a.IsRegular()) return MakeFile(keys, key, name);
    if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string text, keys.ReadLink(key.path));
      if (::symlinkat(text.c_str(), directory, name.c_str()) != 0) return Fail(name);
    } else if (::mknodat(directory, name.c_str(), (a.mode & S_IFMT) | 0600, a.device) != 0) {
      return Fail(name);
    }
    return {};
  }

  // Unwritten ranges are holes.
  Result<void> MakeFile(Keys& keys, const WalkedKey& key, const std::string& name) {
    Descriptor file(::openat(cursor_.descriptor(), name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return Fail(name);
    auto filled = Fill(keys, key, name, file.number());
    if (filled && !file.Close()) filled = Fail(name);
    // Remove a partial file.
    if (!filled) ::unlinkat(cursor_.descriptor(), name.c_str(), 0);
    return filled;
  }

  Result<void> Fill(Keys& keys, const WalkedKey& key, const std::string& name, int file) {
    uint64_t written_end = 0;
    KVFS_ASSIGN(const uint64_t size,
                keys.GetData(key.path, [&](uint64_t offset, Bytes piece) -> Result<void> {
                  for (const fs::ByteRange& range : fs::DataRangesOf(piece)) {
                    const Bytes data = piece.subspan(range.offset, range.length);
                    KVFS_TRY(Write(file, offset + range.offset, data, name));
                    written_end = offset + range.offset + range.length;
                  }
                  return {};
                }));
    if (written_end < size && ::ftruncate(file, static_cast<off_t>(size)) != 0) return Fail(name);
    return {};
  }

  Result<void> Write(int file, uint64_t offset, Bytes data, const std::string& name) {
    while (!data.empty()) {
      const ssize_t count = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
      if (count < 0 && errno != EINTR) return Fail(name);
      if (count <= 0) continue;
      data = data.subspan(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return {};
  }

  // The created file is kept, even if some attributes cannot be set.
  Result<void> SetAttributesIfPossible(const std::string& path, const std::string& name,
                                       const fs::Attributes& a, const fs::XattrMap& xattrs) {
    auto set = SetAttributes(path, name, a, xattrs);
    if (set || HasFailed()) return set;
    LeaveOutPart(fmt::format("owner, mode or times of {}", OnDisk(path)), set.error().message);
    return {};
  }

  // The owner first: changing it clears the setuid bit, and file capabilities. Then the extended
  // attributes, while the mode still permits it. A list among them sets the mode; so the mode,
  // which agrees with the list, is set last.
  Result<void> SetAttributes(const std::string& path, const std::string& name,
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
  Result<void> CheckAttributes(const std::string& path, const std::string& name,
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

  const std::string top_;
  TreeCursor cursor_;
  TreeCursor links_;  // where the first names of hard links are
  const bool is_root_;
  PathTable directory_paths_;
  std::vector<Directory> directories_;
};

}  // namespace

Result<void> ReadTree(const std::string& path, EntrySink& sink) {
  KVFS_ASSIGN(std::string top, ResolvePath(path));
  return TreeReader(std::move(top), sink).Run();
}

Result<std::unique_ptr<EntryWriter>> MakeTreeWriter(const std::string& path) {
  auto cursor = TreeCursor::Open(path);
  auto links = TreeCursor::Open(path);
  if (!cursor || !links) return FailWith(path, cursor ? links.error() : cursor.error());
  return std::make_unique<TreeWriter>(path, *std::move(cursor), *std::move(links));
}

}  // namespace kvfs::cli
