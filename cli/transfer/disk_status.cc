// Conversions of stat(2) and errno.

#include "cli/transfer/disk_status.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "cli/base/paths.h"

namespace kvfs::cli {

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

fs::Timespec FromTimespec(const timespec& time) {
  return {time.tv_sec, static_cast<uint32_t>(time.tv_nsec)};
}

timespec ToTimespec(const fs::Timespec& time) {
  timespec out{};
  out.tv_sec = time.seconds;
  out.tv_nsec = time.nanoseconds;
  return out;
}

tl::unexpected<Error> FailNaming(const std::string& path) {
  Error error = ErrorOfErrno(errno);
  error.message = fmt::format("{}: {}", path, error.message);
  error.code = error.code == ErrorCode::kNoSpace ? error.code : ErrorCode::kIo;
  return tl::unexpected(std::move(error));
}

tl::unexpected<Error> FailNaming(const std::string& path, const Error& error) {
  return Fail(error.code, fmt::format("{}: {}", path, error.message));
}

}  // namespace kvfs::cli
