// One write(2), or one syslog(3), for each line.

#include "cli/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "cli/paths.h"
#include "cli/shown_text.h"

namespace kvfs::cli {

Log Log::ToSystem() {
  ::openlog("kvfs", LOG_PID, LOG_DAEMON);
  return Log(Target::kSystem, Descriptor());
}

Answer<Log> Log::ToFile(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return Stop(ExitCode::kIoFailed,
                fmt::format("cannot write the log file {}: {}", path, ErrorOfErrno(errno).message));
  }
  return Log(Target::kFile, std::move(file));
}

// A name that has a newline in it makes no second line, which somebody might believe.
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
  // A log that cannot be written must not stop what it tells about.
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, line.data(), line.size());
}

}  // namespace kvfs::cli
