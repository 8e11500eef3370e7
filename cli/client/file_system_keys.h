// The keys of a FileSystem in this process: a command that has opened the store, or a daemon that
// carries out a command's requests.
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

// Receives the changed names, before the call that changed them returns.
using ChangeListener = std::function<void(std::span<const fs::ChangedName>)>;

class FileSystemKeys : public Keys {
 public:
  // `file_system` belongs to `store`. New files belong to `caller`. `listener` may be empty.
  FileSystemKeys(Store& store, fs::FileSystem& file_system, const fs::Caller& caller,
                 ChangeListener listener)
      : store_(store), file_system_(&file_system), caller_(caller), listener_(std::move(listener)) {
    way_.emplace(file_system);
  }

  // The umask for new files; a default access control list overrides it.
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
  // Releases everything that must not outlive the file system and the store. No call may follow.
  void LetGo();

 private:
  Result<void> Tell(Result<std::vector<fs::ChangedName>> changed) const;

  Store& store_;
  fs::FileSystem* file_system_;  // frozen_'s, if there is one
  fs::Caller caller_;
  const ChangeListener listener_;
  std::unique_ptr<FrozenStore> frozen_;
  std::unique_ptr<fs::FileSystem> frozen_file_system_;  // uses frozen_, so destroyed first
  std::optional<fs::PathWay> way_;                      // uses file_system_, so destroyed first
};

}  // namespace kvfs::cli
