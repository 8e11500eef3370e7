// Keys of a store that this process has opened.
#pragma once

#include <kvfs/store.h>
#include "cli/client/file_system_keys.h"
#include "fs/file_system.h"

namespace kvfs::cli {

class StoreKeys final : public FileSystemKeys {
 public:
  static CommandResult<std::unique_ptr<Keys>> Open(const std::string& store_path,
                                                   std::unique_ptr<Store> store);

  StoreKeys(std::unique_ptr<Store> store, std::unique_ptr<fs::FileSystem> file_system);
  ~StoreKeys() override { LetGo(); }

  // Closes the store.
  Result<void> Finish() override;

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<fs::FileSystem> file_system_;  // uses store_, so destroyed first
};

// The file system of a store; entries without attributes belong to this process's user.
Result<std::unique_ptr<fs::FileSystem>> OpenFileSystem(Store& store,
                                                       fs::FileSystemOptions options = {});

}  // namespace kvfs::cli
