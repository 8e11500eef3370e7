// Opens the keys if necessary, and forwards each call.

#include "cli/client/reopened_keys.h"

#include <utility>

#include "cli/base/waiting.h"

namespace kvfs::cli {
namespace {

// The error code of an opening that leads to the same exit code.
ErrorCode CodeOf(ExitCode code) {
  switch (code) {
    case ExitCode::kStoreInUse:
      return ErrorCode::kInUse;
    case ExitCode::kStoreCorrupt:
      return ErrorCode::kCorrupt;
    case ExitCode::kNoSpace:
      return ErrorCode::kNoSpace;
    case ExitCode::kVersionUnsupported:
      return ErrorCode::kUnsupported;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

ReopenedKeys::ReopenedKeys(std::string store_path, std::string command)
    : store_path_(std::move(store_path)), command_(std::move(command)) {}

template <typename Call>
auto ReopenedKeys::With(const Call& call) -> decltype(call(std::declval<Keys&>())) {
  KVFS_TRY(std::exchange(finished_, Result<void>()));
  if (!keys_) {
    RenewWaits();
    auto opened = OpenKeys(store_path_, command_, KeysUse::kChange);
    if (!opened) {
      failure_ = opened.error();
      return Fail(CodeOf(failure_->code), failure_->text);
    }
    keys_ = *std::move(opened);
  }
  is_in_use_ = true;
  auto result = call(*keys_);
  is_in_use_ = false;
  return result;
}

void ReopenedKeys::LetGo() {
  if (!keys_ || is_in_use_) return;
  finished_ = keys_->Finish();
  has_lost_daemon_ = has_lost_daemon_ || keys_->HasLostDaemon();
  keys_.reset();
}

Result<fs::InodeInfo> ReopenedKeys::Stat(const std::string& path) {
  return With([&](Keys& keys) { return keys.Stat(path); });
}

Result<void> ReopenedKeys::List(const std::string& path, const KeyVisitor& visit) {
  return With([&](Keys& keys) { return keys.List(path, visit); });
}

Result<uint64_t> ReopenedKeys::GetData(const std::string& path, const DataSink& sink) {
  return With([&](Keys& keys) { return keys.GetData(path, sink); });
}

Result<std::vector<fs::ByteRange>> ReopenedKeys::GetDataRanges(const std::string& path) {
  return With([&](Keys& keys) { return keys.GetDataRanges(path); });
}

Result<fs::XattrMap> ReopenedKeys::GetXattrs(const std::string& path) {
  return With([&](Keys& keys) { return keys.GetXattrs(path); });
}

Result<std::string> ReopenedKeys::ReadLink(const std::string& path) {
  return With([&](Keys& keys) { return keys.ReadLink(path); });
}

Result<void> ReopenedKeys::Apply(const std::vector<fs::PathOperation>& changes, size_t* failed) {
  if (failed != nullptr) *failed = changes.size();
  return With([&](Keys& keys) { return keys.Apply(changes, failed); });
}

Result<void> ReopenedKeys::ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                            const fs::ContentSource& content, size_t* failed) {
  if (failed != nullptr) *failed = changes.size();
  return With([&](Keys& keys) { return keys.ApplyWithContent(changes, content, failed); });
}

Result<void> ReopenedKeys::Freeze() {
  return With([](Keys& keys) { return keys.Freeze(); });
}

Result<void> ReopenedKeys::Sync() {
  return With([](Keys& keys) { return keys.Sync(); });
}

Result<void> ReopenedKeys::Finish() {
  LetGo();
  return std::exchange(finished_, Result<void>());
}

}  // namespace kvfs::cli
