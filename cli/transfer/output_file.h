// An output file of a command: the one way in which commands write files.
//
//   "-"               standard output
//   no regular file   a device, a FIFO, or what /dev/stdout and /proc/self/fd/1 lead to: written
//                     into, as a redirection would, and never replaced
//   a symbolic link   what it leads to counts, as for a redirection; the link stays
//   a regular file    a new file beside it, of an unpredictable name, is written, synced, and gets
//                     the name when it is complete, with owner and mode of the one that was there
//   ... of several    written into when all of it is there: the other names see it, as with cp(1)
//   names
//
// For whose links are followed, and whose files written, see cli/base/output_target.h.
#pragma once

#include <string>

#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "cli/base/descriptor.h"
#include "cli/client/byte_streams.h"

namespace kvfs::cli {

class OutputFile {
 public:
  // Changes nothing yet. kIoFailed, kNoSpace.
  static CommandResult<OutputFile> Open(const std::string& path);
  // A new file: kExists if there is anything at `path`, even a dangling link.
  static Result<OutputFile> OpenNew(const std::string& path);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&&) = delete;
  // Removes an incomplete file.
  ~OutputFile();

  // Errors name the file; kNoSpace for a full disk.
  ByteSink Sink() const;
  // Makes the file durable, and gives it its name.
  Result<void> Complete();

 private:
  enum class Kind { kStream, kReplaced, kShared, kNew };

  OutputFile() = default;
  Result<void> OpenTarget(const std::string& path);
  Result<void> OpenInPlace(bool is_of_proc);
  Result<void> OpenBeside();
  Result<void> TakeAttributesOf(int file);
  Result<void> TakeName();
  Result<void> CopyIntoTarget();

  Kind kind_ = Kind::kStream;
  std::string shown_;
  Descriptor file_;
  Descriptor directory_;   // of the target
  std::string name_;       // of the target in the directory
  std::string temporary_;  // the name of the file beside it, while it has one
};

}  // namespace kvfs::cli
