// Snapshots by number.
#include "fs/fuse/control_directory.h"

#include <sys/stat.h>

#include <algorithm>

#include <kvfs/batch.h>

namespace kvfs::fs {

ControlDirectory::ControlDirectory(std::string name, std::vector<ControlFile> files, uint32_t uid,
                                   uint32_t gid)
    : name_(std::move(name)), files_(std::move(files)), uid_(uid), gid_(gid) {}

bool ControlDirectory::IsNamed(InodeNumber parent, std::string_view name) const {
  return parent == kRootDirectory && !name_.empty() && name == name_;
}

InodeInfo ControlDirectory::Describe(InodeNumber number, uint32_t mode, uint64_t size,
                                     Timespec now) const {
  InodeInfo inode;
  inode.number = number;
  inode.size_bytes = size;
  inode.attributes.mode = mode;
  inode.attributes.links = S_ISDIR(mode) ? 2 : 1;
  inode.attributes.uid = uid_;
  inode.attributes.gid = gid_;
  inode.attributes.atime = inode.attributes.mtime = inode.attributes.ctime = now;
  return inode;
}

InodeInfo ControlDirectory::Directory(Timespec now) const {
  return Describe(kNumber, S_IFDIR | 0500, 0, now);
}

std::optional<InodeInfo> ControlDirectory::Lookup(std::string_view name, Timespec now) {
  const auto file = std::ranges::find(files_, name, &ControlFile::name);
  if (file == files_.end()) return std::nullopt;
  Snapshot snapshot;
  snapshot.content = file->content();
  const MutexLock lock(mutex_);
  const InodeNumber number = next_++;
  snapshot.inode = Describe(number, S_IFREG | 0400, snapshot.content.size(), now);
  return snapshots_.emplace(number, std::move(snapshot)).first->second.inode;
}

std::optional<InodeInfo> ControlDirectory::Find(InodeNumber inode) const {
  if (inode == kNumber) return Directory({});
  const MutexLock lock(mutex_);
  const auto snapshot = snapshots_.find(inode);
  if (snapshot == snapshots_.end()) return std::nullopt;
  return snapshot->second.inode;
}

void ControlDirectory::Forget(InodeNumber inode, uint64_t count) {
  const MutexLock lock(mutex_);
  const auto snapshot = snapshots_.find(inode);
  if (snapshot == snapshots_.end()) return;
  if (snapshot->second.references > count) {
    snapshot->second.references -= count;
  } else {
    snapshots_.erase(snapshot);
  }
}

size_t ControlDirectory::Read(InodeNumber inode, uint64_t offset, MutableBytes out) const {
  const MutexLock lock(mutex_);
  const auto snapshot = snapshots_.find(inode);
  if (snapshot == snapshots_.end()) return 0;
  const Bytes content = AsBytes(snapshot->second.content);
  const Bytes rest = content.subspan(std::min<uint64_t>(offset, content.size()));
  const size_t count = std::min(rest.size(), out.size());
  CopyBytes(out.data(), rest.first(count));
  return count;
}

}  // namespace kvfs::fs
