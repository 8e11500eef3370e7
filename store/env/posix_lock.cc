// Taking, describing and releasing the lock file.

#include "store/env/posix_lock.h"

#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

namespace kvfs {
namespace {

constexpr std::string_view kPrefix = "pid ";

std::string OwnLine() { return std::string(kPrefix) + std::to_string(::getpid()) + "\n"; }

// The text is written by one pwrite and short, so one pread gets all of it.
std::string ReadText(int descriptor) {
  std::array<char, 4096> buffer;
  const ssize_t count = ::pread(descriptor, buffer.data(), buffer.size(), 0);
  return count > 0 ? std::string(buffer.data(), static_cast<size_t>(count)) : std::string();
}

// "pid 12\nmount /mnt/kv\n" -> "process 12 (mount /mnt/kv)". One that only reads leaves no text.
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

// A lock that many share: there is nothing to say of its holders.
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
  auto lock = std::make_unique<PosixLock>(path, std::move(file));
  auto described = lock->Describe(holder);
  // The text is a courtesy: a store on a full disk must still open.
  if (!described && described.error().code != ErrorCode::kNoSpace) {
    return tl::unexpected<Error>(std::move(described).error());
  }
  return lock;
}

Result<void> PosixLock::Describe(const std::string& holder) {
  const std::string text = OwnLine() + holder + "\n";
  const ssize_t count = ::pwrite(descriptor_.number(), text.data(), text.size(), 0);
  if (count < 0) return PosixError("write", path_, errno);
  if (static_cast<size_t>(count) < text.size()) return PosixError("write", path_, ENOSPC);
  // Only now, so that the file is never empty while it is held.
  if (::ftruncate(descriptor_.number(), count) != 0) return PosixError("truncate", path_, errno);
  return {};
}

PosixLock::~PosixLock() {
  if (!ReadText(descriptor_.number()).starts_with(OwnLine())) return;
  // Best effort: a text that stays names a process that is gone, as after its death.
  [[maybe_unused]] const int ignored = ::ftruncate(descriptor_.number(), 0);
}

}  // namespace kvfs
