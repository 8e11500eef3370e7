// The target's directory is opened once, and everything else is relative to it, so that a name
// replaced meanwhile leads nowhere else.

#include "cli/transfer/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "cli/base/interruption.h"
#include "cli/base/output_target.h"
#include "cli/base/paths.h"
#include "cli/base/standard_streams.h"

namespace kvfs::cli {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

tl::unexpected<Error> FailWithErrno() {
  Error error = ErrorOfErrno(errno);
  if (error.code != ErrorCode::kNoSpace && error.code != ErrorCode::kExists) {
    error.code = ErrorCode::kIo;
  }
  return tl::unexpected(std::move(error));
}

std::string RandomName() {
  uint64_t number = 0;
  // Without randomness, O_EXCL still refuses an existing file.
  [[maybe_unused]] const ssize_t drawn = ::getrandom(&number, sizeof number, 0);
  return fmt::format(".kvfs-{:016x}.partial", number);
}

}  // namespace

CommandResult<OutputFile> OutputFile::Open(const std::string& path) {
  OutputFile output;
  output.shown_ = path == "-" ? "standard output" : path;
  Result<void> opened;
  if (const CommandResult<> open = path == "-" ? RequireStandardOutput() : CommandResult<>();
      !open) {
    return tl::unexpected(open.error());
  }
  if (path == "-") {
    output.file_ = Descriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!output.file_.valid()) opened = FailWithErrno();
  } else {
    opened = output.OpenTarget(path);
  }
  if (opened) return output;
  return Fail(ExitCodeOfFile(opened.error().code),
              fmt::format("cannot write {}: {}", output.shown_, opened.error().message));
}

Result<OutputFile> OutputFile::OpenNew(const std::string& path) {
  OutputFile output;
  output.shown_ = path;
  output.kind_ = Kind::kNew;
  KVFS_ASSIGN(OutputTarget target, SplitTarget(AT_FDCWD, path));
  struct stat status {};
  if (::fstatat(target.directory.number(), target.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) ==
      0) {
    return Fail(ErrorCode::kExists, path + " exists already");
  }
  output.directory_ = std::move(target.directory);
  output.name_ = std::move(target.name);
  KVFS_TRY(output.OpenBeside());
  return output;
}

OutputFile::~OutputFile() {
  if (directory_.valid() && !temporary_.empty()) {
    ::unlinkat(directory_.number(), temporary_.c_str(), 0);
  }
}

Result<void> OutputFile::OpenTarget(const std::string& path) {
  KVFS_ASSIGN(OutputTarget target, FindOutputTarget(path));
  directory_ = std::move(target.directory);
  name_ = std::move(target.name);
  kind_ = Kind::kReplaced;
  if (!target.found) return OpenBeside();
  if (!S_ISREG(target.found->st_mode) || target.is_of_proc) {
    return OpenInPlace(target.is_of_proc);
  }
  if (target.found->st_nlink > 1) kind_ = Kind::kShared;
  return OpenBeside();
}

// A descriptor of this process is used as it is, with its file offset and O_APPEND.
Result<void> OutputFile::OpenInPlace(bool is_of_proc) {
  kind_ = Kind::kStream;
  const int directory = directory_.number();
  const std::string& name = name_;
  const auto own = ReadLinkAt(AT_FDCWD, fmt::format("/proc/self/fd/{}", directory));
  int number = -1;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  if (is_number && own && is_of_proc && *own == fmt::format("/proc/{}/fd", ::getpid())) {
    file_ = Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 0));
  } else {
    while (!file_.valid()) {
      file_ =
          Descriptor(::openat(directory, name.c_str(), O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC));
      if (file_.valid() || errno != EINTR) break;
      KVFS_TRY(CheckNotInterrupted());
    }
  }
  if (!file_.valid()) return FailWithErrno();
  return {};
}

Result<void> OutputFile::OpenBeside() {
  // Opens the existing file: one without write permission is not replaced either.
  Descriptor present;
  if (kind_ != Kind::kNew) {
    present = Descriptor(::openat(directory_.number(), name_.c_str(),
                                  O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!present.valid() && errno != ENOENT) return FailWithErrno();
  }
  const mode_t mode = present.valid() ? 0600 : 0666;
  std::string name = RandomName();
  file_ = Descriptor(::openat(directory_.number(), name.c_str(),
                              O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file_.valid()) return FailWithErrno();
  temporary_ = std::move(name);
  return present.valid() && kind_ == Kind::kReplaced ? TakeAttributesOf(present.number())
                                                     : Result<void>();
}

// Keeps the owner of another user's file: if the owner cannot be set, the file is overwritten in
// place.
Result<void> OutputFile::TakeAttributesOf(int file) {
  struct stat theirs {};
  struct stat ours {};
  if (::fstat(file, &theirs) != 0 || ::fstat(file_.number(), &ours) != 0) return FailWithErrno();
  const bool is_same = theirs.st_uid == ours.st_uid && theirs.st_gid == ours.st_gid;
  if (!is_same && ::fchown(file_.number(), theirs.st_uid, theirs.st_gid) != 0) {
    kind_ = Kind::kShared;
    return {};
  }
  if (::fchmod(file_.number(), theirs.st_mode & 0777) != 0) return FailWithErrno();
  return {};
}

ByteSink OutputFile::Sink() const { return ToDescriptor(file_.number(), shown_); }

Result<void> OutputFile::Complete() {
  if (kind_ == Kind::kStream) return {};
  Result<void> done;
  if (::fsync(file_.number()) != 0) {
    done = FailWithErrno();
  } else {
    done = kind_ == Kind::kShared ? CopyIntoTarget() : TakeName();
  }
  if (done) return {};
  Error error = done.error();
  error.message = fmt::format("{}: {}", shown_, error.message);
  return tl::unexpected(std::move(error));
}

Result<void> OutputFile::TakeName() {
  const int directory = directory_.number();
  if (kind_ == Kind::kNew) {
    // Like a rename without replacement, which not every file system supports.
    if (::linkat(directory, temporary_.c_str(), directory, name_.c_str(), 0) != 0) {
      return FailWithErrno();
    }
    return {};  // the other name goes at the end
  }
  if (::renameat(directory, temporary_.c_str(), directory, name_.c_str()) != 0) {
    // A mount of a single file.
    return errno == EBUSY ? CopyIntoTarget() : FailWithErrno();
  }
  temporary_.clear();
  // Some file systems cannot sync a directory; the file itself is synced.
  static_cast<void>(::fsync(directory));
  return {};
}

Result<void> OutputFile::CopyIntoTarget() {
  const Descriptor target(::openat(directory_.number(), name_.c_str(),
                                   O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!target.valid()) return FailWithErrno();
  const ByteSink sink = ToDescriptor(target.number(), shown_);
  std::vector<std::byte> buffer(kCopyBytes);
  for (off_t at = 0;;) {
    const ssize_t count = ::pread(file_.number(), buffer.data(), buffer.size(), at);
    if (count < 0) return FailWithErrno();
    if (count == 0) break;
    KVFS_TRY(sink(Bytes(buffer).first(static_cast<size_t>(count))));
    at += count;
  }
  if (::fsync(target.number()) != 0) return FailWithErrno();
  return {};
}

}  // namespace kvfs::cli
