// The referenced inodes: the key of each one's entry, and its number of references.
//
// The kernel names an inode by its number alone, so the table holds exactly the inodes that the
// kernel knows: the kernel determines its size (P10).
//
// Locks: one mutex for each part of the table, held during a hash lookup. To keep a location valid
// while they use it, callers hold FileSystem's namespace lock: exclusively for Relocate, shared
// otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include <kvfs/batch.h>
#include "fs/inode_info.h"
#include "store/base/mutex.h"

namespace kvfs::fs {

// The key of an inode's entry.
struct Location {
  DirectoryId directory = 0;
  std::string name;
  bool is_directory = false;  // never changes

  Key key() const { return {directory, name}; }
};

class InodeTable {
 public:
  // Adds a reference to `inode`, whose entry has the key `key`.
  void AddReference(InodeNumber inode, Key key, bool is_directory);

  // Drops at most `count` references. Returns the location if none is left.
  std::optional<Location> DropReferences(InodeNumber inode, uint64_t count);

  // Nothing if the inode has no references.
  std::optional<Location> Find(InodeNumber inode) const;
  bool IsReferenced(InodeNumber inode) const;

  // Notes the new key of the inode's entry; ignores an inode without references.
  void Relocate(InodeNumber inode, Key key);
  // Grows whenever the entry of a referenced directory gets another key or is removed.
  uint64_t directory_moves() const { return directory_moves_.load(); }

  // Inodes with references.
  size_t Count() const;

 private:
  struct Inode {
    Location location;
    uint64_t references = 0;
  };
  struct Part {
    mutable Mutex mutex;
    // INVARIANT: references are above 0.
    std::unordered_map<InodeNumber, Inode> inodes KVFS_GUARDED_BY(mutex);
  };
  static constexpr size_t kParts = 16;

  Part& PartOf(InodeNumber inode) { return parts_[inode % kParts]; }
  const Part& PartOf(InodeNumber inode) const { return parts_[inode % kParts]; }

  std::array<Part, kParts> parts_;
  std::atomic<uint64_t> directory_moves_{0};
};

}  // namespace kvfs::fs
