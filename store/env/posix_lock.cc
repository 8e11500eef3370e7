// Taking, describing and releasing the lock file.

#include "store/env/posix_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace kvfs {
namespace {

constexpr std::string_view kPrefix = "pid ";

std::string OwnLine() { return std::string(kPrefix) + std::to_string(::getpid()) + "\n"; }

// The text is short and written by one pwrite, so one pread gets all of it.
std::string ReadText(int descriptor) {
  std::array<char, kLockFileBytes> buffer;
  const ssize_t count = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  if (count <= 0) return {};
  return std::string(buffer.data(), std::find(buffer.data(), buffer.data() + count, '\0'));
}

// Best effort: if the disk is full now, the text itself may still fit.
void KeepRoom(int descriptor) {
  [[maybe_unused]] const int ignored =
      ::fallocate(descriptor, 0, 0, static_cast<off_t>(kLockFileBytes));
}

// "pid 12\nmount /mnt/kv\n" -> "process 12 (mount /mnt/kv)". A read-only holder leaves no text.
std::string NameHolder(const std::string& text) {
  const size_t line_end = text.find('\n');
  if (!text.starts_with(kPrefix) || line_end == std::string::npos) return "another process";
  std::string name = "process " + text.substr(kPrefix.size(), line_end - kPrefix.size());
  std::string holder = text.substr(line_end + 1);
  while (holder.ends_with('\n')) holder.pop_back();
  return holder.empty() ? name : name + " (" + holder + ")";
}

}  // namespace

namespace {

Result<void> Lock(const Descriptor& descriptor, int kind, const std::string& path) {
  while (::flock(descriptor.number(), kind | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Fail(ErrorCode::kInUse,
                  path + " is in use by " + NameHolder(ReadText(descriptor.number())));
    }
    if (errno != EINTR) return PosixError("lock", path, errno);
  }
  return {};
}

// A shared lock: it does not record its holders.
class SharedLock final : public FileLock {
 public:
  explicit SharedLock(std::optional<Descriptor> descriptor) : descriptor_(std::move(descriptor)) {}
  Result<void> Describe(const std::string&) override { return {}; }

 private:
  const std::optional<Descriptor> descriptor_;
};

}  // namespace

Result<std::unique_ptr<FileLock>> PosixLock::Share(const std::string& path, Descriptor file) {
  KVFS_TRY(Lock(file, LOCK_SH, path));
  return std::make_unique<SharedLock>(std::move(file));
}

std::unique_ptr<FileLock> PosixLock::ShareNothing() {
  return std::make_unique<SharedLock>(std::nullopt);
}

Result<std::unique_ptr<FileLock>> PosixLock::Take(const std::string& path, Descriptor file,
                                                  const std::string& holder) {
  KVFS_TRY(Lock(file, LOCK_EX, path));
  KeepRoom(file.number());
  auto lock = std::make_unique<PosixLock>(path, std::move(file));
  auto described = lock->Describe(holder);
  // The text is optional: a store on a full disk must still open.
  if (!described && described.error().code != ErrorCode::kNoSpace) {
    return tl::unexpected<Error>(std::move(described).error());
  }
  return lock;
}

Result<void> PosixLock::Describe(const std::string& holder) {
  std::string text = OwnLine() + holder + "\n";
  // One write, so that the file always has a text while the lock is held.
  text.resize(std::max(text.size(), ReadText(descriptor_.number()).size()), '\0');
  const ssize_t count = ::pwrite(descriptor_.number(), text.data(), text.size(), 0);
  if (count < 0) return PosixError("write", path_, errno);
  if (static_cast<size_t>(count) < text.size()) return PosixError("write", path_, ENOSPC);
  return {};
}

PosixLock::~PosixLock() {
  const std::string text = ReadText(descriptor_.number());
  if (!text.starts_with(OwnLine())) return;
  const std::string nothing(text.size(), '\0');
  // Best effort: a remaining text names a process that is gone, as after a crash.
  [[maybe_unused]] const ssize_t ignored =
      ::pwrite(descriptor_.number(), nothing.data(), nothing.size(), 0);
}

}  // namespace kvfs
