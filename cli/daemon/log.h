// Where a daemon's log lines go: standard error, a file, or the system's log.
//
// A line is whole, whichever threads write at the same time. Values of keys are never logged.
// Standard error may be the journal: see cli/base/user_message.h.
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
  // Appends to the file, creating it with mode 0600; or to a FIFO or terminal, where lines that
  // nobody takes are lost. kNoSpace; kIoFailed for anything else, and for what
  // cli/base/output_target.h says is somebody else's; root follows no link of another user.
  static CommandResult<Log> ToFile(const std::string& path);

  // Safe from any thread.
  void Line(std::string_view text, Severity severity = Severity::kNotice) const;

  // For a daemon that wants its standard streams to lead here too; negative if there is no file.
  int file() const { return file_.number(); }

 private:
  enum class Target { kStandardError, kFile, kSystem };
  Log(Target target, Descriptor file) : target_(target), file_(std::move(file)) {}

  Target target_;
  Descriptor file_;
};

}  // namespace kvfs::cli
