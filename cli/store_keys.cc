// The data commands on a FileSystem without a mount.

#include "cli/store_keys.h"

#include <unistd.h>

#include <algorithm>

#include "cli/store_access.h"
#include "fs/path.h"

namespace kvfs::cli {

Result<std::unique_ptr<fs::FileSystem>> OpenFileSystem(Store& store) {
  fs::FileSystemOptions options;
  options.default_uid = ::geteuid();
  options.default_gid = ::getegid();
  return fs::FileSystem::Open(store, options);
}

Answer<std::unique_ptr<Keys>> StoreKeys::Open(const std::string& store_path,
                                              std::unique_ptr<Store> store) {
  auto file_system = OpenFileSystem(*store);
  if (!file_system) return tl::unexpected(ExplainStoreError(store_path, file_system.error()));
  return std::make_unique<StoreKeys>(std::move(store), *std::move(file_system));
}

Result<void> StoreKeys::Get(const std::string& path, const ByteSink& sink) {
  return fs::GetValue(*file_system_, path, sink);
}

Result<void> StoreKeys::Put(const std::string& path, const ByteSource& source) {
  return fs::PutValue(*file_system_, path, fs::Caller{::geteuid(), ::getegid()}, source);
}

Result<void> StoreKeys::Delete(const std::string& path) {
  return fs::DeleteFile(*file_system_, path);
}

Result<std::vector<std::string>> StoreKeys::List(const std::string& path) {
  std::vector<std::string> names;
  KVFS_TRY(fs::ListPath(*file_system_, path, [&](std::string_view name, const fs::InodeInfo&) {
    names.emplace_back(name);
  }));
  std::ranges::sort(names);
  return names;
}

Result<void> StoreKeys::Finish() {
  file_system_.reset();
  return store_->Close();
}

}  // namespace kvfs::cli
