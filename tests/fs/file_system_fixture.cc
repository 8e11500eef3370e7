// The fixture's helpers: a failed step that must succeed ends the program with its error.
#include "tests/fs/file_system_fixture.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace kvfs::fs {
namespace {

constexpr char kPath[] = "/store";

template <typename T>
T Need(Result<T> result) {
  if (!result) {
    std::cerr << "a step of the fixture failed with code " << static_cast<int>(result.error().code)
              << ": " << result.error().message << "\n";
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

FileSystemFixture::FileSystemFixture(const CreateOptions& options) {
  Need(Store::Create(*env_, kPath, options));
  Open();
}

FileSystemFixture::~FileSystemFixture() = default;

void FileSystemFixture::Open() {
  OpenOptions opening;
  opening.log = [this](std::string_view line) { log_lines_.emplace_back(line); };
  store_ = Need(Store::Open(*env_, kPath, opening));
  FileSystemOptions options;
  options.default_uid = kUser.uid;
  options.default_gid = kUser.gid;
  options.clock = [this] { return now_; };
  options.short_offsets = short_offsets_;
  file_system_ = Need(FileSystem::Open(*store_, options));
}

void FileSystemFixture::ReopenWithShortOffsets() {
  short_offsets_ = true;
  Reopen();
}

void FileSystemFixture::Reopen() {
  file_system_.reset();
  Need(store_->Close());
  store_.reset();
  Open();
}

void FileSystemFixture::CrashAndReopen() {
  auto image = env_->CrashImage({CrashChoice::Kind::kAll, 0});
  file_system_.reset();
  store_.reset();
  env_ = std::move(image);
  Open();
}

InodeInfo FileSystemFixture::File(std::string_view name, std::string_view content,
                                  InodeNumber parent) {
  const InodeInfo file = Need(fs().CreateFile(parent, name, S_IFREG | 0644, 0, kRoot));
  if (!content.empty()) Write(file.number, 0, content);
  return file;
}

InodeInfo FileSystemFixture::Directory(std::string_view name, InodeNumber parent) {
  return Need(fs().MakeDirectory(parent, name, 0755, kRoot));
}

InodeInfo FileSystemFixture::Find(std::string_view name, InodeNumber parent) {
  return Need(fs().Lookup(parent, name));
}

bool FileSystemFixture::Exists(std::string_view name, InodeNumber parent) {
  const auto inode = fs().Lookup(parent, name);
  if (inode) fs().Forget(inode->number, 1);
  return inode.has_value();
}

InodeInfo FileSystemFixture::Stat(InodeNumber inode) { return Need(fs().GetAttributes(inode)); }

std::string FileSystemFixture::Read(InodeNumber inode) {
  std::string content(Stat(inode).size_bytes, '\0');
  content.resize(Need(fs().Read(inode, 0, std::as_writable_bytes(std::span(content)))));
  return content;
}

std::string FileSystemFixture::ReadName(std::string_view name, InodeNumber parent) {
  const InodeInfo inode = Find(name, parent);
  std::string content = Read(inode.number);
  fs().Forget(inode.number, 1);
  return content;
}

void FileSystemFixture::Write(InodeNumber inode, uint64_t offset, std::string_view data,
                              Caller caller) {
  Need(fs().Write(inode, offset, AsBytes(data), caller));
}

std::vector<std::string> FileSystemFixture::List(InodeNumber directory, size_t page_bytes) {
  std::vector<std::string> names;
  uint64_t offset = 0;
  while (true) {
    const auto page = Need(fs().ListDirectory(directory, offset, {page_bytes, EntryBytes}));
    if (page.empty()) break;
    for (const DirectoryEntry& entry : page) names.push_back(entry.name);
    offset = page.back().next_offset;
  }
  names.erase(names.begin(), names.begin() + 2);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kvfs::fs
