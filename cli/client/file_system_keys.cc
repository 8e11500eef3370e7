// Each call maps to one of fs/path.h or fs/content_source.h.

#include "cli/client/file_system_keys.h"

namespace kvfs::cli {

Result<fs::InodeInfo> FileSystemKeys::Stat(const std::string& path) {
  return fs::StatPath(*file_system_, path, &*way_);
}

Result<void> FileSystemKeys::List(const std::string& path, const KeyVisitor& visit) {
  return fs::ListPath(*file_system_, path, visit, &*way_);
}

Result<uint64_t> FileSystemKeys::GetData(const std::string& path, const DataSink& sink) {
  return fs::GetData(*file_system_, path, sink, &*way_);
}

Result<std::vector<fs::ByteRange>> FileSystemKeys::GetDataRanges(const std::string& path) {
  return fs::GetDataRanges(*file_system_, path, &*way_);
}

Result<fs::XattrMap> FileSystemKeys::GetXattrs(const std::string& path) {
  return fs::GetXattrs(*file_system_, path, &*way_);
}

Result<std::string> FileSystemKeys::ReadLink(const std::string& path) {
  return fs::ReadLinkPath(*file_system_, path, &*way_);
}

Result<void> FileSystemKeys::Apply(const std::vector<fs::PathOperation>& changes, size_t* failed) {
  return Tell(file_system_->ApplyChanges(changes, caller_, failed));
}

Result<void> FileSystemKeys::ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                              const fs::ContentSource& content, size_t* failed) {
  return Tell(fs::ApplyWithContent(*file_system_, changes, content, caller_, failed));
}

Result<void> FileSystemKeys::Tell(Result<std::vector<fs::ChangedName>> changed) const {
  if (!changed) return tl::unexpected(std::move(changed).error());
  if (listener_) listener_(*changed);
  return {};
}

Result<void> FileSystemKeys::Freeze() {
  if (frozen_) return {};
  fs::FileSystemOptions options;
  options.default_uid = caller_.uid;
  options.default_gid = caller_.gid;
  KVFS_ASSIGN(std::unique_ptr<FrozenStore> frozen, FrozenStore::Of(store_));
  KVFS_ASSIGN(frozen_file_system_, fs::FileSystem::Open(*frozen, options));
  frozen_ = std::move(frozen);
  file_system_ = frozen_file_system_.get();
  way_.emplace(*file_system_);
  return {};
}

void FileSystemKeys::LetGo() {
  way_.reset();
  frozen_file_system_.reset();
  frozen_.reset();
}

Result<void> FileSystemKeys::Sync() { return file_system_->Sync(); }

Result<void> FileSystemKeys::Finish() { return Sync(); }

}  // namespace kvfs::cli
