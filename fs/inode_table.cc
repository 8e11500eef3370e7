// A partitioned hash table, so that threads working on different inodes rarely contend.
#include "fs/inode_table.h"

#include <algorithm>
#include <utility>

namespace kvfs::fs {

void InodeTable::AddReference(InodeNumber inode, Key key, bool is_directory) {
  Part& part = PartOf(inode);
  const MutexLock lock(part.mutex);
  auto [at, is_new] = part.inodes.try_emplace(inode);
  if (is_new) at->second.location = {key.directory, std::string(key.name), is_directory};
  ++at->second.references;
}

std::optional<Location> InodeTable::DropReferences(InodeNumber inode, uint64_t count) {
  Part& part = PartOf(inode);
  const MutexLock lock(part.mutex);
  auto at = part.inodes.find(inode);
  if (at == part.inodes.end()) return {};
  at->second.references -= std::min(count, at->second.references);
  if (at->second.references > 0) return {};
  Location location = std::move(at->second.location);
  part.inodes.erase(at);
  return location;
}

std::optional<Location> InodeTable::Find(InodeNumber inode) const {
  const Part& part = PartOf(inode);
  const MutexLock lock(part.mutex);
  auto at = part.inodes.find(inode);
  if (at == part.inodes.end()) return {};
  return at->second.location;
}

bool InodeTable::IsReferenced(InodeNumber inode) const {
  const Part& part = PartOf(inode);
  const MutexLock lock(part.mutex);
  return part.inodes.contains(inode);
}

void InodeTable::Relocate(InodeNumber inode, Key key) {
  Part& part = PartOf(inode);
  const MutexLock lock(part.mutex);
  auto at = part.inodes.find(inode);
  if (at == part.inodes.end()) return;

  std::string name(key.name);
  at->second.location.directory = key.directory;
  at->second.location.name = std::move(name);
  if (at->second.location.is_directory) ++directory_moves_;
}

size_t InodeTable::Count() const {
  size_t count = 0;
  for (const Part& part : parts_) {
    const MutexLock lock(part.mutex);
    count += part.inodes.size();
  }
  return count;
}

}  // namespace kvfs::fs
