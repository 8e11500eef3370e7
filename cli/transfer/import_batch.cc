// Checks entries, and gathers them with the directories above them. cli/transfer/import_apply.cc
// creates them.

#include "cli/transfer/import_batch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "cli/base/interruption.h"
#include "cli/base/user_message.h"
#include "fs/new_entry.h"

namespace kvfs::cli {
namespace {

using Kind = fs::PathOperation::Kind;

fs::PathOperation ChangeOf(Kind kind, const std::string& path) {
  fs::PathOperation change;
  change.kind = kind;
  change.path = path;
  return change;
}

}  // namespace

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
  fs::PathOperation put = ChangeOf(Kind::kPut, path);
  put.attributes = entry.attributes;
  put.xattrs = std::move(entry.xattrs);
  put.is_sparse = true;
  put.replaces = true;
  if (entry.large) return ApplyLarge(std::move(put), entry.large);
  put.data = std::move(entry.data);
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
