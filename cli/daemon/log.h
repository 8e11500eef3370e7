// The destination of a daemon's log lines: standard error, a file, or syslog.
//
// Lines of concurrent threads are never mixed. Values of keys are never logged. Standard error may
// be the journal: see cli/base/user_message.h.
#pragma once

#include <string>
#include <string_view>

#include "cli/base/command_result.h"
#include "cli/base/descriptor.h"
#include "cli/base/user_message.h"

namespace kvfs::cli {

class Log {
 public:
  static Log ToStandardError() { return Log(Target::kStandardError, Descriptor()); }
  static Log ToSystem();
  // Appends to the file, creating it with mode 0600; or writes to a FIFO or terminal, where lines
  // without a reader are lost. Root follows no link of another user. kNoSpace; kIoFailed for
  // anything else, including targets that cli/base/output_target.h refuses.
  static CommandResult<Log> ToFile(const std::string& path);

  // Safe from any thread.
  void Line(std::string_view text, Severity severity = Severity::kNotice) const;

  // For a daemon that redirects its standard streams to the log; negative if it is not a file.
  int file() const { return file_.number(); }

 private:
  enum class Target { kStandardError, kFile, kSystem };
  Log(Target target, Descriptor file) : target_(target), file_(std::move(file)) {}

  Target target_;
  Descriptor file_;
};

}  // namespace kvfs::cli
