// Gathers entries, creates them in order, and handles those that cannot be created: the entries
// before such a one are created without it, and those after it in smaller steps, since there are
// often more.

#include "cli/transfer/import_batch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/user_message.h"
#include "fs/new_entry.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxGathered = 4096;
constexpr size_t kMaxGatheredBytes = size_t{4} << 20;
constexpr size_t kSmallPart = 64;

fs::PathOperation ChangeOf(fs::PathOperation::Kind kind, const std::string& path) {
  fs::PathOperation change;
  change.kind = kind;
  change.path = path;
  return change;
}

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

using Kind = fs::PathOperation::Kind;

ImportBatch::ImportBatch(Keys& keys, const std::string& directory, Progress& progress)
    : keys_(keys), directory_(directory), progress_(progress) {}

void ImportBatch::LeaveOut(std::string_view what, std::string_view reason) {
  progress_.Clear();
  Tell(Severity::kWarning, fmt::format("left out {}: {}", what, reason));
  ++losses_.entries;
}

void ImportBatch::LeaveOutPart(std::string_view what, std::string_view reason) {
  progress_.Clear();
  Tell(Severity::kWarning, fmt::format("left out {}: {}", what, reason));
  ++losses_.parts;
}

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

std::string ImportBatch::PathOf(const std::string& path) const {
  return path.empty() ? directory_ : JoinKeyPath(directory_, path);
}

bool ImportBatch::CheckPath(const std::string& path) {
  const CommandResult<> valid = CheckKeyPath(path);
  if (!valid) LeaveOut(path, valid.error().text);
  return valid.has_value();
}

// Removes invalid parts, and reports them; false if the whole entry is invalid.
bool ImportBatch::MakeValid(IncomingEntry& entry, const std::string& path) {
  const bool is_known = entry.attributes.has_value();
  fs::Attributes attributes = entry.attributes.value_or(fs::Attributes());
  if (!is_known) attributes.mode = S_IFREG;
  auto valid = fs::CheckAttributes(attributes);
  if (valid && attributes.IsSymbolicLink()) valid = fs::CheckSymlinkTarget(entry.data);
  if (!valid) {
    LeaveOut(path, valid.error().message);
    return false;
  }
  if (!entry.xattrs) return true;
  std::erase_if(*entry.xattrs, [&](const auto& xattr) {
    const auto possible = fs::CheckXattrOf(attributes, xattr.first, xattr.second);
    if (!possible) {
      LeaveOutPart(fmt::format("the extended attribute {} of {}", xattr.first, path),
                   possible.error().message);
    }
    return !possible;
  });
  if (const auto possible = fs::CheckXattrs(*entry.xattrs); !possible) {
    LeaveOutPart(fmt::format("the extended attributes of {}", path),
                 "together they are more than a file can have");
    entry.xattrs->clear();
  }
  if (is_known) fs::TakeAccessList(*entry.attributes, *entry.xattrs);
  return true;
}

Result<void> ImportBatch::Add(IncomingEntry entry) {
  KVFS_TRY(CheckNotInterrupted());
  const std::string path = PathOf(entry.path);
  const bool is_directory = entry.attributes && entry.attributes->IsDirectory();
  if (path.empty() && !is_directory) {
    LeaveOut("an entry without a name", "only a directory can be the top");
    return {};
  }
  if (!path.empty() && !CheckPath(path)) return {};
  if (!MakeValid(entry, path)) return {};
  KVFS_TRY(NeedParents(path));
  if (is_directory) {
    AddDirectory(path, std::move(entry));
    return FlushIfFull();
  }
  if (!entry.large && entry.data.size() > kLargeContentBytes) {
    entry.large = [data = std::move(entry.data),
                   given = size_t{0}](MutableBytes buffer) mutable -> Result<fs::ContentPiece> {
      const Bytes piece =
          AsBytes(data).subspan(given, std::min(buffer.size(), data.size() - given));
      CopyBytes(buffer.data(), piece);
      given += piece.size();
      return fs::ContentPiece{0, piece.size()};
    };
  }
  if (entry.large) return AddLarge(path, std::move(entry));
  fs::PathOperation put = ChangeOf(Kind::kPut, path);
  put.data = std::move(entry.data);
  put.attributes = entry.attributes;
  put.xattrs = std::move(entry.xattrs);
  put.is_sparse = true;
  put.replaces = true;
  Gather(std::move(put), /*is_entry=*/true);
  return FlushIfFull();
}

void ImportBatch::Gather(fs::PathOperation change, bool is_entry) {
  gathered_bytes_ += change.data.size() + change.path.size() + change.to.size();
  changes_.push_back({std::move(change), is_entry});
}

// Adds the missing directories above the path: "a" and "a/b" for "a/b/c".
Result<void> ImportBatch::NeedParents(const std::string& path) {
  const std::string_view whole = path;
  size_t known = path.rfind('/');
  while (known != std::string::npos && known > 0 && !made_.Contains(whole.substr(0, known))) {
    known = path.rfind('/', known - 1);
  }
  size_t end = known == std::string::npos ? path.find('/') : path.find('/', known + 1);
  for (; end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    if (above.empty()) continue;
    Gather(ChangeOf(Kind::kEnsureDirectory, above), /*is_entry=*/false);
    made_.Add(above);
    KVFS_TRY(FlushIfFull());
  }
  return {};
}

void ImportBatch::AddDirectory(const std::string& path, IncomingEntry entry) {
  fs::PathOperation make =
      ChangeOf(path.empty() ? Kind::kSetAttributes : Kind::kEnsureDirectory, path);
  make.attributes = entry.attributes;
  make.xattrs = std::move(entry.xattrs);
  make.replaces = true;
  Gather(std::move(make), /*is_entry=*/true);
  times_.push_back({made_.Add(path), entry.attributes});
}

Result<void> ImportBatch::AddLarge(const std::string& path, IncomingEntry entry) {
  KVFS_TRY(Flush());
  fs::PathOperation put = ChangeOf(Kind::kPut, path);
  put.attributes = entry.attributes;
  put.xattrs = std::move(entry.xattrs);
  put.is_sparse = true;
  put.replaces = true;
  bool source_failed = false;
  const fs::ContentSource content = [&](MutableBytes buffer) -> Result<fs::ContentPiece> {
    KVFS_TRY(CheckNotInterrupted());
    auto piece = entry.large(buffer);
    source_failed = !piece;
    return piece;
  };
  const auto done = keys_.ApplyWithContent({put}, content);
  if (!done && source_failed) return done;
  if (!done && IsOfOneEntry(done.error().code)) {
    LeaveOutFailed({std::move(put), /*is_entry=*/true}, done.error());
    return {};
  }
  if (!done) return tl::unexpected(Naming(path, done.error()));
  ++applied_;
  progress_.ShowEntries(applied_);
  return {};
}

Result<void> ImportBatch::AddLink(const std::string& path, const std::string& target) {
  KVFS_TRY(CheckNotInterrupted());
  fs::PathOperation link = ChangeOf(Kind::kLink, PathOf(target));
  link.to = PathOf(path);
  link.replaces = true;
  if (!CheckPath(link.to)) return {};
  if (const CommandResult<> valid = CheckKeyPath(link.path); !valid) {
    LeaveOut(link.to, fmt::format("it is a hard link: {}", valid.error().text));
    return {};
  }
  KVFS_TRY(NeedParents(link.to));
  Gather(std::move(link), /*is_entry=*/true);
  return FlushIfFull();
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

Result<void> ImportBatch::Finish() {
  KVFS_TRY(Flush());
  return ApplyTimes();
}

// A directory that was left out, or replaced by something else, is skipped.
Result<void> ImportBatch::ApplyTimes() {
  is_at_end_ = true;
  for (const DirectoryTimes& times : std::exchange(times_, {})) {
    KVFS_TRY(CheckNotInterrupted());
    fs::PathOperation set = ChangeOf(Kind::kSetAttributes, made_.PathOf(times.number));
    set.attributes = times.attributes;
    Gather(std::move(set), /*is_entry=*/false);
    KVFS_TRY(FlushIfFull());
  }
  return Flush();
}

}  // namespace kvfs::cli
