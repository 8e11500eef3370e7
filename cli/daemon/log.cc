// One write(2) or syslog(3) for each line.

#include "cli/daemon/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "cli/base/output_target.h"
#include "cli/base/paths.h"
#include "cli/base/shown_text.h"

namespace kvfs::cli {
namespace {

const dev_t kNull = ::makedev(1, 3);  // /dev/null

// Log lines must not go to a disk, a socket or another device that would act on them. Lines that a
// FIFO or terminal does not accept are lost, as the daemon must not block.
bool TakesLines(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return false;
  if (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode)) return true;
  return S_ISCHR(status.st_mode) && (::isatty(file) || status.st_rdev == kNull);
}

bool MayTakeLines(mode_t mode) { return S_ISREG(mode) || S_ISFIFO(mode) || S_ISCHR(mode); }

Result<Descriptor> OpenForLines(const std::string& path) {
  KVFS_ASSIGN(const OutputTarget target, FindOutputTarget(path, LinksOf::kRootOnly));
  constexpr const char* kNoFile = "it is not a regular file, FIFO or terminal";
  if (target.found && !target.is_of_proc && !MayTakeLines(target.found->st_mode)) {
    return Fail(ErrorCode::kIo, kNoFile);
  }
  const int links = target.is_of_proc ? 0 : O_NOFOLLOW;
  Descriptor file(
      ::openat(target.directory.number(), target.name.c_str(),
               O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | links, 0600));
  const bool is_fifo = target.found && S_ISFIFO(target.found->st_mode);
  if (!file.valid() && is_fifo && errno == ENXIO) return Fail(ErrorCode::kIo, "it has no reader");
  if (!file.valid()) return tl::unexpected(ErrorOfErrno(errno));
  if (!TakesLines(file.number())) return Fail(ErrorCode::kIo, kNoFile);
  return file;
}

}  // namespace

Log Log::ToSystem() {
  ::openlog("kvfs", LOG_PID, LOG_DAEMON);
  return Log(Target::kSystem, Descriptor());
}

CommandResult<Log> Log::ToFile(const std::string& path) {
  auto file = OpenForLines(path);
  if (file) return Log(Target::kFile, *std::move(file));
  const Error& error = file.error();
  return Fail(ExitCodeOfFile(error.code),
              fmt::format("cannot write the log file {}: {}", path, error.message));
}

// A newline in a name must not forge a second line.
void Log::Line(std::string_view raw, Severity severity) const {
  const std::string text = EscapedText(raw);
  if (target_ == Target::kSystem) {
    ::syslog(static_cast<int>(severity), "%.*s", static_cast<int>(text.size()), text.data());
    return;
  }
  const std::string line = target_ == Target::kFile
                               ? fmt::format("{:%Y-%m-%dT%H:%M:%SZ} kvfs[{}]: {}\n",
                                             fmt::gmtime(std::time(nullptr)), ::getpid(), text)
                               : MessageLine(severity, text);
  const int descriptor = target_ == Target::kFile ? file_.number() : STDERR_FILENO;
  // A failed log write must not stop the daemon's work.
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, line.data(), line.size());
}

}  // namespace kvfs::cli
