// A value of moderate size is one change, under which a file keeps its inode. A larger one is
// written to a file without a name, which then takes the name.

#include "cli/file_system_keys.h"

#include <algorithm>

#include "fs/path.h"

namespace kvfs::cli {
namespace {

constexpr size_t kLargeBytes = size_t{8} << 20;
constexpr size_t kPieceBytes = size_t{1} << 20;

// Fills `value` from the source until it has more than kLargeBytes, or the source ends. Returns
// whether it has ended.
Result<bool> ReadModerate(const ByteSource& source, std::string& value) {
  while (value.size() <= kLargeBytes) {
    const size_t before = value.size();
    value.resize(before + kPieceBytes);
    const MutableBytes space = std::as_writable_bytes(std::span(value).subspan(before));
    KVFS_ASSIGN(const size_t count, source(space));
    value.resize(before + count);
    if (count == 0) return true;
  }
  return false;
}

// Gives `begin`, then what `rest` gives.
ByteSource Chain(Bytes begin, const ByteSource& rest) {
  return [begin, &rest](MutableBytes buffer) mutable -> Result<size_t> {
    if (begin.empty()) return rest(buffer);
    const size_t count = std::min(begin.size(), buffer.size());
    CopyBytes(buffer.data(), begin.first(count));
    begin = begin.subspan(count);
    return count;
  };
}

}  // namespace

Result<fs::InodeInfo> FileSystemKeys::Stat(const std::string& path) {
  return fs::StatPath(file_system_, path);
}

Result<void> FileSystemKeys::List(const std::string& path, const KeyVisitor& visit) {
  return fs::ListPath(file_system_, path, visit);
}

Result<void> FileSystemKeys::Get(const std::string& path, const ByteSink& sink) {
  return fs::GetValue(file_system_, path, sink);
}

Result<std::string> FileSystemKeys::ReadLink(const std::string& path) {
  return fs::ReadLinkPath(file_system_, path);
}

Result<void> FileSystemKeys::Put(const std::string& path, const ByteSource& source) {
  fs::FileChange change;
  change.path = path;
  KVFS_ASSIGN(const bool is_whole, ReadModerate(source, change.data));
  if (!is_whole) return PutLarge(path, AsBytes(change.data), source);
  return Apply({std::move(change)}, nullptr);
}

Result<void> FileSystemKeys::PutLarge(const std::string& path, Bytes begin,
                                      const ByteSource& source) {
  fs::ChangedName changed;
  const size_t slash = path.find_last_not_of('/');
  const std::string trimmed = path.substr(0, slash + 1);
  const size_t name_begin = trimmed.rfind('/') == std::string::npos ? 0 : trimmed.rfind('/') + 1;
  KVFS_ASSIGN(const fs::InodeInfo parent, Stat(trimmed.substr(0, name_begin)));
  const auto replaced = Stat(path);
  KVFS_TRY(fs::PutValue(file_system_, path, caller_, Chain(begin, source)));
  changed.parent = parent.number;
  changed.name = trimmed.substr(name_begin);
  changed.inode = replaced ? replaced->number : 0;
  changed.is_rebound = true;
  if (listener_) listener_(std::span(&changed, 1));
  return {};
}

Result<void> FileSystemKeys::Apply(const std::vector<fs::FileChange>& changes, size_t* failed) {
  auto changed = file_system_.ApplyChanges(changes, caller_, failed);
  if (!changed) return tl::unexpected(std::move(changed).error());
  if (listener_) listener_(*changed);
  return {};
}

Result<void> FileSystemKeys::Finish() { return file_system_.Sync(); }

}  // namespace kvfs::cli
