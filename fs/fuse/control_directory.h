// A directory of files that nobody has written: each lookup of one makes a snapshot of what it says
// now, an inode of its own with its right size, which never changes and lives until the kernel has
// forgotten it. So the kernel may keep pages and attributes as of any file, and who opens one reads
// what is true at that moment, whole.
//
// The directory is found in the root by its name only, and only while no entry of the store has
// that name: it hides nothing and is never listed.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>
#include "fs/inode_info.h"

namespace kvfs::fs {

struct ControlFile {
  std::string name;
  std::function<std::string()> content;  // called from any thread
};

class ControlDirectory {
 public:
  // Above all numbers that a store gives.
  static constexpr InodeNumber kNumber = InodeNumber{1} << 63;
  static bool Owns(InodeNumber inode) { return inode >= kNumber; }

  // With an empty name there is no directory. Files belong to `uid` and `gid`, who alone can read.
  ControlDirectory(std::string name, std::vector<ControlFile> files, uint32_t uid, uint32_t gid);

  bool IsNamed(InodeNumber parent, std::string_view name) const;
  const std::vector<ControlFile>& files() const { return files_; }

  // The directory itself, of the time `now`.
  InodeInfo Directory(Timespec now) const;
  // A new snapshot, with one reference; nothing if there is no such file.
  std::optional<InodeInfo> Lookup(std::string_view name, Timespec now);
  // The directory or a snapshot; nothing for a number without references.
  std::optional<InodeInfo> Find(InodeNumber inode) const;
  void Forget(InodeNumber inode, uint64_t count);
  // Returns how many bytes there were.
  size_t Read(InodeNumber inode, uint64_t offset, MutableBytes out) const;

 private:
  struct Snapshot {
    InodeInfo inode;
    std::string content;
    uint64_t references = 1;
  };
  InodeInfo Describe(InodeNumber number, uint32_t mode, uint64_t size, Timespec now) const;

  const std::string name_;
  const std::vector<ControlFile> files_;
  const uint32_t uid_;
  const uint32_t gid_;
  mutable std::mutex mutex_;  // guards the following
  std::map<InodeNumber, Snapshot> snapshots_;
  InodeNumber next_ = kNumber + 1;
};

}  // namespace kvfs::fs
