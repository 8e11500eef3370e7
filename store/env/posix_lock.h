// The lock that restricts a store to one process: flock(2) on a file that names its holder.
//
// flock belongs to the open file description: a second opener is refused, in another process or in
// the same one, and the kernel releases the lock however the holder ends. The file contains "pid
// N\n<holder>\n" while it is held and zeros after a clean release, so a text without a holder was
// left by a process that died. The file's blocks stay allocated, so that the holder's name can be
// written even on a full disk.
//
// A child that inherits the lock holds it too, and says so with Describe; from then on the parent
// leaves the text alone when it ends, because the text names another process.
#pragma once

#include <memory>
#include <string>

#include <kvfs/env.h>
#include "store/env/posix_error.h"

namespace kvfs {

class PosixLock final : public FileLock {
 public:
  // `file` must be open, for writing in the case of Take; `path` names it in messages.
  static Result<std::unique_ptr<FileLock>> Take(const std::string& path, Descriptor file,
                                                const std::string& holder);
  static Result<std::unique_ptr<FileLock>> Share(const std::string& path, Descriptor file);
  // A shared lock for a missing file: does nothing.
  static std::unique_ptr<FileLock> ShareNothing();

  PosixLock(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  ~PosixLock() override;

  Result<void> Describe(const std::string& holder) override;

 private:
  const std::string path_;
  const Descriptor descriptor_;
};

}  // namespace kvfs
