// The lock that keeps a store to one process: flock(2) on a file that names its holder.
//
// flock belongs to the open file description: a second opener is refused in another process and in
// the same one alike, and the kernel releases it when the holder ends in whatever way. The file
// says "pid N\n<holder>\n" while it is held and zeros after a clean end, so what an observer finds
// in it without a holder is left from one that died. It keeps its bytes on the disk for ever: who
// holds a store must be told on a full disk, too.
//
// A child that inherited the lock holds it too, and says so with Describe; from then on the end of
// the parent leaves the text alone, because it names another process.
#pragma once

#include <memory>
#include <string>

#include <kvfs/env.h>
#include "store/env/posix_error.h"

namespace kvfs {

class PosixLock final : public FileLock {
 public:
  // `file` is open, for writing if it is to be taken; `path` names it in messages.
  static Result<std::unique_ptr<FileLock>> Take(const std::string& path, Descriptor file,
                                                const std::string& holder);
  static Result<std::unique_ptr<FileLock>> Share(const std::string& path, Descriptor file);
  // Where there is no file.
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
