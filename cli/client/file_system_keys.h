// Keys of a file system in this process: of a command that has opened the store, or of the daemon
// that does a command's work.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <kvfs/frozen_store.h>
#include "cli/client/keys.h"
#include "fs/file_system.h"
#include "fs/path.h"

namespace kvfs::cli {

// Gets the names that were changed, before the call that changed them returns.
using ChangeListener = std::function<void(std::span<const fs::ChangedName>)>;

class FileSystemKeys : public Keys {
 public:
  // `file_system` is that of `store`. New files belong to `caller`. `listener` may be empty.
  FileSystemKeys(Store& store, fs::FileSystem& file_system, const fs::Caller& caller,
                 ChangeListener listener)
      : store_(store), file_system_(&file_system), caller_(caller), listener_(std::move(listener)) {
    way_.emplace(file_system);
  }

  // Permissions that new files shall not have, where no default access control list says which.
  void SetUmask(uint32_t umask) { caller_.umask = umask; }

  Result<fs::InodeInfo> Stat(const std::string& path) override;
  Result<void> List(const std::string& path, const KeyVisitor& visit) override;
  Result<uint64_t> GetData(const std::string& path, const DataSink& sink) override;
  Result<std::vector<fs::ByteRange>> GetDataRanges(const std::string& path) override;
  Result<fs::XattrMap> GetXattrs(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Result<void> Apply(const std::vector<fs::PathOperation>& changes, size_t* failed) override;
  Result<void> ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                const fs::ContentSource& content, size_t* failed) override;
  Result<void> Freeze() override;
  Result<void> Sync() override;
  Result<void> Finish() override;

 protected:
  // Lets go of all that must not outlive the file system and the store. No call may follow.
  void LetGo();

 private:
  Result<void> Tell(Result<std::vector<fs::ChangedName>> changed) const;

  Store& store_;
  fs::FileSystem* file_system_;  // of frozen_, if there is one
  fs::Caller caller_;
  const ChangeListener listener_;
  std::unique_ptr<FrozenStore> frozen_;
  std::unique_ptr<fs::FileSystem> frozen_file_system_;  // uses frozen_, goes before it
  std::optional<fs::PathWay> way_;                      // of file_system_, goes before it
};

}  // namespace kvfs::cli
