// Creates directories, files and links.

#include "cli/transfer/tree_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "cli/base/descriptor.h"
#include "cli/base/paths.h"
#include "cli/transfer/disk_status.h"
#include "cli/transfer/tree_format.h"

namespace kvfs::cli {

TreeWriter::TreeWriter(std::string top, TreeCursor cursor, TreeCursor links)
    : top_(std::move(top)),
      cursor_(std::move(cursor)),
      links_(std::move(links)),
      is_root_(::geteuid() == 0) {}

Result<void> TreeWriter::Add(Keys& keys, const WalkedKey& key, const std::string& path) {
  const fs::Attributes& a = key.inode.attributes;
  const size_t slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "" : path.substr(0, slash);
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  KVFS_TRY(MoveTo(cursor_, above));
  if (a.IsDirectory()) return AddDirectory(keys, key, path, name);
  if (const auto first = FirstNameOf(key.inode, path)) return Link(*first, path, name);
  KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
  KVFS_TRY(Make(keys, key, name));
  return SetAttributesIfPossible(path, name, a, xattrs);
}

Result<void> TreeWriter::Finish() {
  for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
    const std::string path = directory_paths_.PathOf(at->path);
    const size_t slash = path.rfind('/');
    KVFS_TRY(MoveTo(cursor_, slash == std::string::npos ? "" : path.substr(0, slash)));
    const std::string name =
        path.empty() ? "." : path.substr(slash == std::string::npos ? 0 : slash + 1);
    KVFS_TRY(SetAttributesIfPossible(path, name, at->attributes, at->xattrs));
  }
  return {};
}

Result<void> TreeWriter::MoveTo(TreeCursor& cursor, std::string_view path) {
  auto moved = cursor.MoveTo(path);
  if (moved) return {};
  NoteFailure();
  return FailNaming(fmt::format("{}/{}", top_, path), moved.error());
}

// Names, kinds and lengths that the file system does not support concern only this entry.
Result<void> TreeWriter::Fail(const std::string& name) {
  const bool is_too_long = errno == EFBIG;  // others may be shorter
  Error error = ErrorOfErrno(errno);
  if (is_too_long) error.code = ErrorCode::kTooLarge;
  const bool is_own = is_too_long || error.code == ErrorCode::kPermission ||
                      error.code == ErrorCode::kExists || error.code == ErrorCode::kInvalid ||
                      error.code == ErrorCode::kNameTooLong;
  if (!is_own) NoteFailure();
  if (!is_own && error.code != ErrorCode::kNoSpace) error.code = ErrorCode::kIo;
  return FailNaming(fmt::format("{}/{}", OnDisk(cursor_.path()), name), error);
}

std::string TreeWriter::OnDisk(const std::string& path) const {
  return path.empty() ? top_ : top_ + "/" + path;
}

Result<void> TreeWriter::AddDirectory(Keys& keys, const WalkedKey& key, const std::string& path,
                                      const std::string& name) {
  KVFS_ASSIGN(fs::XattrMap xattrs, XattrsOf(keys, key, path));
  if (!path.empty() && ::mkdirat(cursor_.descriptor(), name.c_str(), 0700) != 0) {
    return Fail(name);
  }
  directories_.push_back({directory_paths_.Add(path), key.inode.attributes, std::move(xattrs)});
  return {};
}

Result<void> TreeWriter::Link(const std::string& first, const std::string& path,
                              const std::string& name) {
  const size_t slash = first.rfind('/');
  KVFS_TRY(MoveTo(links_, slash == std::string::npos ? "" : first.substr(0, slash)));
  const std::string from = first.substr(slash == std::string::npos ? 0 : slash + 1);
  if (::linkat(links_.descriptor(), from.c_str(), cursor_.descriptor(), name.c_str(), 0) == 0) {
    return {};
  }
  return Fail(path);
}

Result<void> TreeWriter::Make(Keys& keys, const WalkedKey& key, const std::string& name) {
  const fs::Attributes& a = key.inode.attributes;
  const int directory = cursor_.descriptor();
  if (a.IsRegular()) return MakeFile(keys, key, name);
  if (a.IsSymbolicLink()) {
    KVFS_ASSIGN(const std::string text, keys.ReadLink(key.path));
    if (::symlinkat(text.c_str(), directory, name.c_str()) != 0) return Fail(name);
  } else if (::mknodat(directory, name.c_str(), (a.mode & S_IFMT) | 0600, a.device) != 0) {
    return Fail(name);
  }
  return {};
}

// Unwritten ranges are holes.
Result<void> TreeWriter::MakeFile(Keys& keys, const WalkedKey& key, const std::string& name) {
  Descriptor file(::openat(cursor_.descriptor(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return Fail(name);
  auto filled = Fill(keys, key, name, file.number());
  if (filled && !file.Close()) filled = Fail(name);
  // Remove a partial file.
  if (!filled) ::unlinkat(cursor_.descriptor(), name.c_str(), 0);
  return filled;
}

Result<void> TreeWriter::Fill(Keys& keys, const WalkedKey& key, const std::string& name, int file) {
  uint64_t written_end = 0;
  KVFS_ASSIGN(const uint64_t size,
              keys.GetData(key.path, [&](uint64_t offset, Bytes piece) -> Result<void> {
                for (const fs::ByteRange& range : fs::DataRangesOf(piece)) {
                  const Bytes data = piece.subspan(range.offset, range.length);
                  KVFS_TRY(Write(file, offset + range.offset, data, name));
                  written_end = offset + range.offset + range.length;
                }
                return {};
              }));
  if (written_end < size && ::ftruncate(file, static_cast<off_t>(size)) != 0) return Fail(name);
  return {};
}

Result<void> TreeWriter::Write(int file, uint64_t offset, Bytes data, const std::string& name) {
  while (!data.empty()) {
    const ssize_t count = ::pwrite(file, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno != EINTR) return Fail(name);
    if (count <= 0) continue;
    data = data.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<std::unique_ptr<EntryWriter>> MakeTreeWriter(const std::string& path) {
  auto cursor = TreeCursor::Open(path);
  auto links = TreeCursor::Open(path);
  if (!cursor || !links) return FailNaming(path, cursor ? links.error() : cursor.error());
  return std::make_unique<TreeWriter>(path, *std::move(cursor), *std::move(links));
}

}  // namespace kvfs::cli
