// Gathering, and the order of making.

#include "cli/import_batch.h"

#include <fmt/format.h>

#include <algorithm>

namespace kvfs::cli {
namespace {

constexpr size_t kMaxGathered = 4096;
constexpr size_t kMaxGatheredBytes = size_t{8} << 20;

size_t DepthOf(const std::string& path) {
  return static_cast<size_t>(std::ranges::count(path, '/'));
}

fs::FileChange Directory(const std::string& path) {
  fs::FileChange change;
  change.kind = fs::FileChange::Kind::kEnsureDirectory;
  change.path = path;
  return change;
}

Error Naming(const std::string& path, const Error& error) {
  return {error.code, fmt::format("{}: {}", path, ReasonOfKeyError(error))};
}

}  // namespace

ImportBatch::ImportBatch(Keys& keys, const std::string& directory, Progress& progress)
    : keys_(keys), directory_(directory), progress_(progress) {}

Result<void> ImportBatch::Add(IncomingEntry entry) {
  const std::string path = entry.path.empty() ? directory_ : JoinKeyPath(directory_, entry.path);
  const bool is_directory = entry.attributes && entry.attributes->IsDirectory();
  if (!path.empty()) {
    const Outcome valid = CheckKeyPath(path);
    if (!valid) return Fail(ErrorCode::kInvalid, valid.error().text);
  }
  KVFS_TRY(NeedDirectories(is_directory ? path + "/" : path));
  ++gathered_;
  if (is_directory) {
    fs::FileChange change = Directory(path);
    change.kind = fs::FileChange::Kind::kSetAttributes;
    change.attributes = entry.attributes;
    attributes_.push_back(std::move(change));
  } else if (entry.large) {
    return AddLarge(path, entry);
  } else {
    gathered_bytes_ += entry.data.size();
    fs::FileChange& put = others_.emplace_back();
    put.path = path;
    put.data = std::move(entry.data);
    put.attributes = std::move(entry.attributes);
  }
  const bool is_full = gathered_ >= kMaxGathered || gathered_bytes_ >= kMaxGatheredBytes;
  return is_full ? Flush() : Result<void>();
}

// All directories above the path: "a" and "a/b" for "a/b/c".
Result<void> ImportBatch::NeedDirectories(const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    std::string above = path.substr(0, end);
    if (above.empty() || !made_.insert(above).second) continue;
    fs::FileChange change = Directory(above);
    directories_[DepthOf(above)].push_back(std::move(change));
  }
  return {};
}

Result<void> ImportBatch::AddLarge(const std::string& path, const IncomingEntry& entry) {
  --gathered_;
  KVFS_TRY(Flush());
  const auto put = keys_.Put(path, entry.large);
  if (!put) return tl::unexpected(Naming(path, put.error()));
  if (entry.attributes) {
    fs::FileChange change;
    change.kind = fs::FileChange::Kind::kSetAttributes;
    change.path = path;
    change.attributes = entry.attributes;
    KVFS_TRY(Apply({std::move(change)}));
  }
  ++applied_;
  return {};
}

Result<void> ImportBatch::AddLink(const std::string& path, const std::string& target) {
  KVFS_TRY(Flush());
  const std::string from = JoinKeyPath(directory_, target);
  const auto inode = keys_.Stat(from);
  if (!inode) return tl::unexpected(Naming(from, inode.error()));
  auto value = GetWhole(keys_, from, kMaxBatchBytes);
  if (!value) return tl::unexpected(Naming(from, value.error()));
  ++copied_links_;
  return Add({path, inode->attributes, *std::move(value), {}});
}

Result<void> ImportBatch::Apply(const std::vector<fs::FileChange>& changes) {
  size_t failed = 0;
  const auto applied = keys_.Apply(changes, &failed);
  if (applied) return {};
  return tl::unexpected(
      Naming(failed < changes.size() ? changes[failed].path : "these entries", applied.error()));
}

Result<void> ImportBatch::MakeDirectories() {
  for (const auto& [depth, changes] : std::exchange(directories_, {})) KVFS_TRY(Apply(changes));
  return {};
}

Result<void> ImportBatch::Flush() {
  KVFS_TRY(MakeDirectories());
  const auto others = std::exchange(others_, {});
  gathered_bytes_ = 0;
  if (!others.empty()) KVFS_TRY(Apply(others));
  applied_ += std::exchange(gathered_, 0);
  progress_.ShowEntries(applied_);
  return {};
}

Result<void> ImportBatch::Finish() {
  KVFS_TRY(Flush());
  for (size_t begin = 0; begin < attributes_.size(); begin += kMaxGathered) {
    const size_t end = std::min(begin + kMaxGathered, attributes_.size());
    KVFS_TRY(Apply({attributes_.begin() + static_cast<ptrdiff_t>(begin),
                    attributes_.begin() + static_cast<ptrdiff_t>(end)}));
  }
  attributes_.clear();
  return {};
}

}  // namespace kvfs::cli
