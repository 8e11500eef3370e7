// Reads attributes, contents and extended attributes of one file at a time.

#include "cli/transfer/disk_entries.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/base/descriptor.h"
#include "cli/base/interruption.h"
#include "cli/base/paths.h"
#include "cli/transfer/disk_content.h"
#include "cli/transfer/disk_status.h"
#include "cli/transfer/disk_xattrs.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxTargetBytes = 4096;

}  // namespace

bool IsOfMachine(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
}

std::string DiskEntries::OnDisk(const std::string& path) const {
  return path.empty() ? top_ : top_ + "/" + path;
}

Result<void> DiskEntries::PassOver(const std::string& path, std::string_view what) {
  const int error_number = errno;
  // Without the top there are no others.
  if (IsOfMachine(error_number) || path.empty()) return FailNaming(OnDisk(path));
  sink_.LeaveOut(fmt::format("{}{}", what, OnDisk(path)), ErrorOfErrno(error_number).message);
  return {};
}

Result<void> DiskEntries::AddDirectory(int directory, const std::string& path,
                                       const struct stat& status) {
  IncomingEntry entry;
  entry.path = path;
  entry.attributes = AttributesOf(status);
  KVFS_ASSIGN(entry.xattrs, XattrsOf(directory, ".", entry.path, status));
  return sink_.Add(std::move(entry));
}

Result<void> DiskEntries::AddOther(int directory, const std::string& name, const std::string& path,
                                   const struct stat& status) {
  const auto inode = std::pair(status.st_dev, status.st_ino);
  if (status.st_nlink > 1) {
    const auto first = links_.find(inode);
    if (first != links_.end()) return sink_.AddLink(path, paths_.PathOf(first->second));
  }
  IncomingEntry entry;
  entry.path = path;
  entry.attributes = AttributesOf(status);
  KVFS_ASSIGN(entry.xattrs, XattrsOf(directory, name, path, status));
  if (S_ISLNK(status.st_mode)) {
    std::string target(kMaxTargetBytes, '\0');
    const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (length < 0) return PassOver(path);
    entry.data = target.substr(0, static_cast<size_t>(length));
  }
  if (S_ISREG(status.st_mode)) return AddFile(directory, name, std::move(entry), inode, status);
  if (status.st_nlink > 1) links_.emplace(inode, paths_.Add(path));
  return sink_.Add(std::move(entry));
}

Result<void> DiskEntries::AddFile(int directory, const std::string& name, IncomingEntry entry,
                                  const Inode& inode, const struct stat& named) {
  const std::string path = entry.path;
  const auto file = std::make_shared<Descriptor>(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file->valid() || ::fstat(file->number(), &status) != 0) return PassOver(path);
  const uint64_t size = SizeOf(status);
  bool has_failed = false;
  if (size > kLargeContentBytes) {
    const bool may_have_holes = static_cast<uint64_t>(status.st_blocks) * 512 < size;
    entry.large = [&has_failed, content = DiskContent(file, OnDisk(path), may_have_holes)](
                      MutableBytes buffer) mutable {
      auto piece = content(buffer);
      has_failed = !piece;
      return piece;
    };
  } else {
    auto data = DiskContent(file, OnDisk(path), /*may_have_holes=*/false).ReadWhole(size);
    if (!data) return LeaveOutUnreadable(path, data.error());
    entry.data = *std::move(data);
  }
  const auto added = sink_.Add(std::move(entry));
  if (!added && has_failed) return LeaveOutUnreadable(path, added.error());
  if (added && named.st_nlink > 1) links_.emplace(inode, paths_.Add(path));
  return added;
}

Result<void> DiskEntries::LeaveOutUnreadable(const std::string& path, const Error& error) {
  KVFS_TRY(CheckNotInterrupted());
  sink_.LeaveOut(OnDisk(path), error.message);
  return {};
}

// Nothing if the file system has no extended attributes, which is detected once.
Result<std::optional<fs::XattrMap>> DiskEntries::XattrsOf(int directory, const std::string& name,
                                                          const std::string& path,
                                                          const struct stat& status) {
  if (without_xattrs_.contains(status.st_dev)) return fs::XattrMap();
  bool has_any = true;
  auto xattrs = ReadDiskXattrs(
      PathInDirectory(directory, name),
      [&](const std::string& xattr, const std::string& reason) {
        sink_.LeaveOutPart(fmt::format("the extended attribute {} of {}", xattr, OnDisk(path)),
                           reason);
      },
      &has_any);
  if (!xattrs) {
    sink_.LeaveOutPart(fmt::format("the extended attributes of {}", OnDisk(path)),
                       xattrs.error().message);
    return fs::XattrMap();
  }
  if (!has_any) without_xattrs_.insert(status.st_dev);
  return *std::move(xattrs);
}

}  // namespace kvfs::cli
