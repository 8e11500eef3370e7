// A FileSystem over a real store on a disk in memory, with a clock that only moves when told to,
// and helpers for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "fs/file_system.h"
#include "store/env/memory_env.h"

namespace kvfs::fs {

inline constexpr Caller kRoot = {0, 0};
inline constexpr Caller kUser = {1000, 100};

// The error's code; nothing for a success.
template <typename T>
std::optional<ErrorCode> CodeOf(const Result<T>& result) {
  if (result) return {};
  return result.error().code;
}

class FileSystemFixture : public testing::Test {
 protected:
  FileSystemFixture() : FileSystemFixture(CreateOptions()) {}
  explicit FileSystemFixture(const CreateOptions& options);
  ~FileSystemFixture() override;

  FileSystem& fs() { return *file_system_; }
  Store& store() { return *store_; }
  MemoryEnv& disk() { return *env_; }
  // The store's messages to its operator.
  const std::vector<std::string>& log_lines() const { return log_lines_; }

  // Closes the store, unless crashed, and opens it again: no inode is referenced then.
  void Reopen();
  void ReopenWithShortOffsets();
  void CrashAndReopen();

  // These end the test on an error. The returned inode is referenced.
  InodeInfo File(std::string_view name, std::string_view content = {},
                 InodeNumber parent = kRootInode);
  InodeInfo Directory(std::string_view name, InodeNumber parent = kRootInode);
  InodeInfo Find(std::string_view name, InodeNumber parent = kRootInode);

  // An inode of which only the number is known.
  static InodeInfo Inode(InodeNumber number) {
    InodeInfo inode;
    inode.number = number;
    return inode;
  }

  // Drops all references to the inode.
  void ForgetAll(const InodeInfo& inode) { fs().Forget(inode.number, UINT64_MAX); }

  bool Exists(std::string_view name, InodeNumber parent = kRootInode);
  InodeInfo Stat(InodeNumber inode);
  std::string Read(InodeNumber inode);
  std::string ReadName(std::string_view name, InodeNumber parent = kRootInode);
  void Write(InodeNumber inode, uint64_t offset, std::string_view data, Caller caller = kRoot);
  // All names except the dots, page by page, sorted.
  std::vector<std::string> List(InodeNumber directory = kRootInode, size_t page_bytes = 4096);
  size_t EntriesInStore() { return store().GetStats().entries; }

  void PassSeconds(int64_t seconds) { now_.seconds += seconds; }
  Timespec now() const { return now_; }

 private:
  void Open();

  std::vector<std::string> log_lines_;
  bool short_offsets_ = false;
  Timespec now_ = {1'700'000'000, 123'456'789};
  std::unique_ptr<MemoryEnv> env_ = std::make_unique<MemoryEnv>();
  std::unique_ptr<Store> store_;
  std::unique_ptr<FileSystem> file_system_;
};

// An entry's size in the listing pages of these tests.
inline size_t EntryBytes(size_t name_bytes) { return name_bytes + 24; }

}  // namespace kvfs::fs
