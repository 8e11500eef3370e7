// Opens a FileSystem without a mount, and closes it.

#include "cli/client/store_keys.h"

#include <unistd.h>

#include "cli/base/own_umask.h"
#include "cli/client/store_errors.h"

namespace kvfs::cli {
namespace {

fs::Caller Myself() {
  return {::geteuid(), ::getegid(), OwnUmask(), static_cast<uint32_t>(::getpid())};
}

}  // namespace

Result<std::unique_ptr<fs::FileSystem>> OpenFileSystem(Store& store,
                                                       fs::FileSystemOptions options) {
  options.default_uid = ::geteuid();
  options.default_gid = ::getegid();
  return fs::FileSystem::Open(store, options);
}

CommandResult<std::unique_ptr<Keys>> StoreKeys::Open(const std::string& store_path,
                                                     std::unique_ptr<Store> store) {
  // A store recovered to an older state than promised must not be used for answers.
  const auto whole = store->Damage();
  if (!whole) return tl::unexpected(ExplainStoreError(store_path, whole.error()));
  auto file_system = OpenFileSystem(*store);
  if (!file_system) return tl::unexpected(ExplainStoreError(store_path, file_system.error()));
  return std::make_unique<StoreKeys>(std::move(store), *std::move(file_system));
}

StoreKeys::StoreKeys(std::unique_ptr<Store> store, std::unique_ptr<fs::FileSystem> file_system)
    : FileSystemKeys(*store, *file_system, Myself(), {}),
      store_(std::move(store)),
      file_system_(std::move(file_system)) {}

Result<void> StoreKeys::Finish() {
  LetGo();
  file_system_.reset();
  return store_->Close();
}

}  // namespace kvfs::cli
