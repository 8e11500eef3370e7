// Keys of a file system in this process: of a command that has opened the store, or of the daemon
// that does a command's work.
#pragma once

#include <functional>
#include <span>

#include "cli/keys.h"
#include "fs/file_system.h"

namespace kvfs::cli {

// Gets the names that were changed, before the call that changed them returns.
using ChangeListener = std::function<void(std::span<const fs::ChangedName>)>;

class FileSystemKeys : public Keys {
 public:
  // New files belong to `caller`. `listener` may be empty.
  FileSystemKeys(fs::FileSystem& file_system, const fs::Caller& caller, ChangeListener listener)
      : file_system_(file_system), caller_(caller), listener_(std::move(listener)) {}

  Result<fs::InodeInfo> Stat(const std::string& path) override;
  Result<void> List(const std::string& path, const KeyVisitor& visit) override;
  Result<void> Get(const std::string& path, const ByteSink& sink) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<void> Put(const std::string& path, const ByteSource& source) override;
  Result<void> Apply(const std::vector<fs::FileChange>& changes, size_t* failed) override;
  Result<void> Finish() override;

 private:
  Result<void> PutLarge(const std::string& path, Bytes begin, const ByteSource& source);

  fs::FileSystem& file_system_;
  const fs::Caller caller_;
  const ChangeListener listener_;
};

}  // namespace kvfs::cli
