// Gathering, and the order of making.

#include "cli/import_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/interruption.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxGathered = 4096;
constexpr size_t kMaxGatheredBytes = size_t{4} << 20;

fs::FileChange ChangeOf(fs::FileChange::Kind kind, const std::string& path) {
  fs::FileChange change;
  change.kind = kind;
  change.path = path;
  return change;
}

Error Naming(const std::string& path, const Error& error) {
  return {error.code, fmt::format("{}: {}", path, ReasonOfKeyError(error))};
}

}  // namespace

using Kind = fs::FileChange::Kind;

ImportBatch::ImportBatch(Keys& keys, const std::string& directory, Progress& progress)
    : keys_(keys), directory_(directory), progress_(progress) {}

std::string ImportBatch::PathOf(const std::string& path) const {
  return path.empty() ? directory_ : JoinKeyPath(directory_, path);
}

Result<void> ImportBatch::Add(IncomingEntry entry) {
  KVFS_TRY(CheckNotInterrupted());
  const std::string path = PathOf(entry.path);
  if (!path.empty()) {
    const Outcome valid = CheckKeyPath(path);
    if (!valid) return Fail(ErrorCode::kInvalid, valid.error().text);
  }
  NeedParents(path);
  if (entry.attributes && entry.attributes->IsDirectory()) {
    AddDirectory(path, std::move(entry));
  } else if (entry.large) {
    return AddLarge(path, std::move(entry));
  } else {
    fs::FileChange& put = changes_.emplace_back(ChangeOf(Kind::kPut, path));
    gathered_bytes_ += entry.data.size();
    put.data = std::move(entry.data);
    put.attributes = entry.attributes;
    put.xattrs = std::move(entry.xattrs);
    put.is_sparse = true;
  }
  ++gathered_;
  return FlushIfFull();
}

// All directories above the path: "a" and "a/b" for "a/b/c".
void ImportBatch::NeedParents(const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    std::string above = path.substr(0, end);
    if (above.empty() || made_.contains(above)) continue;
    changes_.push_back(ChangeOf(Kind::kEnsureDirectory, above));
    made_.insert(std::move(above));
  }
}

void ImportBatch::AddDirectory(const std::string& path, IncomingEntry entry) {
  const Kind kind = path.empty() ? Kind::kSetAttributes : Kind::kEnsureDirectory;
  fs::FileChange& make = changes_.emplace_back(ChangeOf(kind, path));
  make.attributes = entry.attributes;
  make.xattrs = std::move(entry.xattrs);
  fs::FileChange& times = times_.emplace_back(ChangeOf(Kind::kSetAttributes, path));
  times.attributes = entry.attributes;
  made_.insert(path);
}

Result<void> ImportBatch::AddLarge(const std::string& path, IncomingEntry entry) {
  KVFS_TRY(Flush());
  fs::FileChange put = ChangeOf(Kind::kPut, path);
  put.attributes = entry.attributes;
  put.xattrs = std::move(entry.xattrs);
  put.is_sparse = true;
  const fs::ContentSource content = [&](MutableBytes buffer) -> Result<fs::ContentPiece> {
    KVFS_TRY(CheckNotInterrupted());
    return entry.large(buffer);
  };
  const auto done = keys_.ApplyWithContent({std::move(put)}, content);
  if (!done) return tl::unexpected(Naming(path, done.error()));
  ++applied_;
  progress_.ShowEntries(applied_);
  return {};
}

Result<void> ImportBatch::AddLink(const std::string& path, const std::string& target) {
  KVFS_TRY(CheckNotInterrupted());
  fs::FileChange link = ChangeOf(Kind::kLink, PathOf(target));
  link.to = PathOf(path);
  for (const std::string& name : {link.path, link.to}) {
    const Outcome valid = CheckKeyPath(name);
    if (!valid) return Fail(ErrorCode::kInvalid, valid.error().text);
  }
  NeedParents(link.to);
  changes_.push_back(std::move(link));
  ++gathered_;
  return FlushIfFull();
}

Result<void> ImportBatch::FlushIfFull() {
  const bool is_full = changes_.size() >= kMaxGathered || gathered_bytes_ >= kMaxGatheredBytes;
  return is_full ? Flush() : Result<void>();
}

Result<void> ImportBatch::Apply(const std::vector<fs::FileChange>& changes) {
  size_t failed = 0;
  const auto applied = keys_.Apply(changes, &failed);
  if (applied) return {};
  if (applied.error().code == ErrorCode::kTooLarge && failed >= changes.size() &&
      changes.size() > 1) {
    const auto middle = changes.begin() + static_cast<ptrdiff_t>(changes.size() / 2);
    KVFS_TRY(Apply({changes.begin(), middle}));
    return Apply({middle, changes.end()});
  }
  return tl::unexpected(
      Naming(failed < changes.size() ? changes[failed].path : "these entries", applied.error()));
}

Result<void> ImportBatch::Flush() {
  const auto changes = std::exchange(changes_, {});
  gathered_bytes_ = 0;
  if (!changes.empty()) KVFS_TRY(Apply(changes));
  applied_ += std::exchange(gathered_, 0);
  progress_.ShowEntries(applied_);
  return {};
}

Result<void> ImportBatch::Finish() {
  KVFS_TRY(Flush());
  for (size_t begin = 0; begin < times_.size(); begin += kMaxGathered) {
    const size_t end = std::min(begin + kMaxGathered, times_.size());
    KVFS_TRY(Apply({times_.begin() + static_cast<ptrdiff_t>(begin),
                    times_.begin() + static_cast<ptrdiff_t>(end)}));
  }
  times_.clear();
  return {};
}

}  // namespace kvfs::cli
