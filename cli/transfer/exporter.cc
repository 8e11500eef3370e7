// Decides which errors and names concern one entry only.

#include "cli/transfer/exporter.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "cli/base/interruption.h"

namespace kvfs::cli {
namespace {

// Names that Put of the library allows, and that would lead elsewhere in a tree on disk.
bool LeadsElsewhere(std::string_view name) {
  return name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
         name.find('\0') != std::string_view::npos;
}

// Errors that concern one key only.
bool IsOfOneEntry(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kInvalid ||
         code == ErrorCode::kNameTooLong || code == ErrorCode::kTooLarge ||
         code == ErrorCode::kNotFound || code == ErrorCode::kPermission ||
         code == ErrorCode::kExists || code == ErrorCode::kConflict;
}

std::string Shown(const WalkedKey& key) {
  return key.path + (key.inode.attributes.IsDirectory() ? " and what is in it" : "");
}

}  // namespace

Result<void> Exporter::Run(const std::string& top) {
  KVFS_ASSIGN(const fs::InodeInfo inode, keys_.Stat(top));
  const bool is_directory = inode.attributes.IsDirectory();
  if (is_directory) KVFS_TRY(Add({top, "", inode}, ""));
  const size_t prefix = is_directory ? (top.empty() ? 0 : top.size() + 1) : top.rfind('/') + 1;
  WalkOptions options;
  options.on_unreadable = [&](const std::string& path, const Error& error) {
    NoteDamage(error);
    writer_.LeaveOut("a part of what is in " + (path.empty() ? "the top" : path),
                     ReasonOfKeyError(error));
  };
  KVFS_TRY(WalkKeys(
      keys_, top,
      [&](const WalkedKey& key) -> Result<Descent> {
        return Add(key, key.path.substr(std::min(prefix, key.path.size())));
      },
      options));
  return writer_.Finish();
}

Result<Descent> Exporter::Add(const WalkedKey& key, const std::string& path) {
  KVFS_TRY(CheckNotInterrupted());
  if (!path.empty() && LeadsElsewhere(key.name)) {
    writer_.LeaveOut(Shown(key), "no file can have this name");
    return Descent::kPass;
  }
  if ((key.inode.attributes.mode & S_IFMT) == 0) {
    is_damaged_ = true;
    writer_.LeaveOut(Shown(key), "its attributes are damaged");
    return Descent::kPass;
  }
  auto added = writer_.Add(keys_, key, path);
  if (!added && !writer_.HasFailed() && IsOfOneEntry(added.error().code)) {
    NoteDamage(added.error());
    writer_.LeaveOut(Shown(key), ReasonOfKeyError(added.error()));
    writer_.ForgetName(key.inode, path);
    return key.inode.attributes.IsDirectory() ? Descent::kPass : Descent::kEnter;
  }
  if (!added) {
    Error error = std::move(added).error();
    if (error.message.find(key.path) == std::string::npos) {
      error.message = fmt::format("{}: {}", key.path, ReasonOfKeyError(error));
    }
    return tl::unexpected(std::move(error));
  }
  progress_.ShowEntries(++written_);
  return Descent::kEnter;
}

void Exporter::NoteDamage(const Error& error) {
  is_damaged_ = is_damaged_ || error.code == ErrorCode::kCorrupt;
}

}  // namespace kvfs::cli
