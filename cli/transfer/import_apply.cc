// Applies gathered entries to the store, and handles those that cannot be created: the entries
// before such a one are created without it, and those after it in smaller steps, since there are
// often more.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/transfer/import_batch.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxGathered = 4096;
constexpr size_t kMaxGatheredBytes = size_t{4} << 20;
constexpr size_t kSmallPart = 64;

Error Naming(const std::string& path, const Error& error) {
  return {error.code, fmt::format("{}: {}", path, ReasonOfKeyError(error))};
}

// Errors that concern only one entry.
bool IsOfOneEntry(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kExists:
    case ErrorCode::kInvalid:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotDirectory:
    case ErrorCode::kIsDirectory:
    case ErrorCode::kNotEmpty:
    case ErrorCode::kNameTooLong:
    case ErrorCode::kTooManyLinks:
      return true;
    default:
      return false;
  }
}

const std::string& PathMadeBy(const fs::PathOperation& change) {
  return change.kind == fs::PathOperation::Kind::kLink ? change.to : change.path;
}

std::string ReasonOf(const fs::PathOperation& change, const Error& error) {
  const bool is_link = change.kind == fs::PathOperation::Kind::kLink;
  if (error.code == ErrorCode::kNotFound) {
    return is_link ? fmt::format("{}, which it is a hard link to, does not exist", change.path)
                   : "its directory does not exist";
  }
  if (error.code == ErrorCode::kNotDirectory) {
    return change.kind == fs::PathOperation::Kind::kEnsureDirectory
               ? "it, or a part of its path, is not a directory"
               : "a part of its path is not a directory";
  }
  if (error.code == ErrorCode::kIsDirectory) {
    return is_link ? fmt::format("{}, which it is a hard link to, is a directory", change.path)
                   : "a directory has its name";
  }
  if (error.code == ErrorCode::kNotEmpty && error.message.empty())
    return "a directory that is not empty has its name";
  return std::string(ReasonOfKeyError(error));
}

}  // namespace

void ImportBatch::LeaveOutFailed(const Gathered& gathered, const Error& error) {
  if (is_at_end_) return;
  const fs::PathOperation& change = gathered.change;
  if (gathered.is_entry) {
    LeaveOut(PathMadeBy(change), CauseAbove(change).value_or(ReasonOf(change, error)));
  } else {
    refused_.insert_or_assign(change.path, CauseAbove(change).value_or(
                                               fmt::format("the directory {} cannot be created: {}",
                                                           change.path, ReasonOf(change, error))));
  }
}

// Why an entry cannot be created, if the cause is a parent directory that the source omits.
std::optional<std::string> ImportBatch::CauseAbove(const fs::PathOperation& change) const {
  const std::string& path = PathMadeBy(change);
  const size_t slash = path.rfind('/');
  if (refused_.empty() || slash == std::string::npos) return {};
  const auto refused = refused_.find(path.substr(0, slash));
  if (refused == refused_.end()) return {};
  return refused->second;
}

Result<void> ImportBatch::ApplyLarge(fs::PathOperation put, const fs::ContentSource& source) {
  KVFS_TRY(Flush());
  bool source_failed = false;
  const fs::ContentSource content = [&](MutableBytes buffer) -> Result<fs::ContentPiece> {
    KVFS_TRY(CheckNotInterrupted());
    auto piece = source(buffer);
    source_failed = !piece;
    return piece;
  };
  const auto done = keys_.ApplyWithContent({put}, content);
  if (!done && source_failed) return done;
  if (!done && IsOfOneEntry(done.error().code)) {
    LeaveOutFailed({std::move(put), /*is_entry=*/true}, done.error());
    return {};
  }
  if (!done) return tl::unexpected(Naming(put.path, done.error()));
  ++applied_;
  progress_.ShowEntries(applied_);
  return {};
}

Result<void> ImportBatch::FlushIfFull() {
  const bool is_full = changes_.size() >= kMaxGathered || gathered_bytes_ >= kMaxGatheredBytes;
  return is_full ? Flush() : Result<void>();
}

Result<void> ImportBatch::Flush() {
  gathered_bytes_ = 0;
  return Apply(std::exchange(changes_, {}));
}

Result<void> ImportBatch::ApplyInParts(Changes changes, size_t part) {
  while (!changes.empty()) KVFS_TRY(ApplyUpTo(changes, std::min(part, changes.size())));
  return {};
}

// Removes changes from the front, and applies them.
Result<void> ImportBatch::ApplyUpTo(Changes& changes, size_t end) {
  const auto split = changes.begin() + static_cast<ptrdiff_t>(end);
  Changes part(std::move_iterator(changes.begin()), std::move_iterator(split));
  changes.erase(changes.begin(), split);
  return Apply(std::move(part));
}

// A step that is too large for the store's log, or for the disk's free space, is halved, down to
// the entry that does not fit.
Result<void> ImportBatch::Apply(Changes changes) {
  if (changes.empty()) return {};
  std::vector<fs::PathOperation> plain;
  plain.reserve(changes.size());
  for (Gathered& gathered : changes) plain.push_back(std::move(gathered.change));
  size_t failed = 0;
  const auto applied = keys_.Apply(plain, &failed);
  for (size_t i = 0; i < plain.size(); ++i) changes[i].change = std::move(plain[i]);
  if (applied) {
    applied_ += static_cast<uint64_t>(std::ranges::count(changes, true, &Gathered::is_entry));
    progress_.ShowEntries(applied_);
    return {};
  }
  const ErrorCode code = applied.error().code;
  const bool is_told = failed < changes.size();
  const bool is_size = code == ErrorCode::kTooLarge || code == ErrorCode::kNoSpace;
  if (is_size && !is_told && changes.size() > 1) {
    return ApplyInParts(std::move(changes), (changes.size() + 1) / 2);
  }
  if (changes.size() == 1) failed = 0;
  if (!IsOfOneEntry(code) || failed >= changes.size()) {
    return tl::unexpected(
        Naming(is_told ? changes[failed].change.path : "these entries", applied.error()));
  }
  KVFS_TRY(ApplyUpTo(changes, failed));
  LeaveOutFailed(changes.front(), applied.error());
  changes.erase(changes.begin());
  return ApplyInParts(std::move(changes), kSmallPart);
}

}  // namespace kvfs::cli
