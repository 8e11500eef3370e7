// A directory of generated files. Each lookup of one makes a snapshot of its current content: a
// separate inode with the right size, which never changes and lives until the kernel forgets it. So
// the kernel may cache pages and attributes as for any file, and a reader that opens one gets a
// consistent content of that moment.
//
// The directory can be looked up in the root by name, while no entry of the store has that name: it
// hides nothing. It is never listed.
//
// Threads: safe from many.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>
#include "fs/inode_info.h"
#include "store/base/mutex.h"

namespace kvfs::fs {

struct ControlFile {
  std::string name;
  std::function<std::string()> content;  // called from any thread
};

class ControlDirectory {
 public:
  // Above all inode numbers of a store.
  static constexpr InodeNumber kNumber = InodeNumber{1} << 63;
  static bool Owns(InodeNumber inode) { return inode >= kNumber; }

  // With an empty name there is no directory. Files belong to `uid` and `gid`; only the owner can
  // read them.
  ControlDirectory(std::string name, std::vector<ControlFile> files, uint32_t uid, uint32_t gid);

  bool IsNamed(InodeNumber parent, std::string_view name) const;
  const std::vector<ControlFile>& files() const { return files_; }

  // The directory itself, with the time `now`.
  InodeInfo Directory(Timespec now) const;
  // Makes a snapshot, with one reference; nothing if there is no such file.
  std::optional<InodeInfo> Lookup(std::string_view name, Timespec now);
  // The directory or a snapshot; nothing for a number without references.
  std::optional<InodeInfo> Find(InodeNumber inode) const;
  void Forget(InodeNumber inode, uint64_t count);
  // Returns the number of bytes read.
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
  mutable Mutex mutex_;
  std::map<InodeNumber, Snapshot> snapshots_ KVFS_GUARDED_BY(mutex_);
  InodeNumber next_ KVFS_GUARDED_BY(mutex_) = kNumber + 1;
};

}  // namespace kvfs::fs
