// Opens a name that only the probe knows, and triggers each message that the kernel must never send
// again.
#include "fs/fuse/open_suppressor.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <kvfs/batch.h>

namespace kvfs::fs {
namespace {

constexpr char kProbeName[] = ".kvfs-first-open";
// Never the number of a file.
constexpr InodeNumber kProbeInode = kTransientDirectory;

void OpenAndClose(const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC);
  if (file >= 0) close(file);
}

void AskForExtendedAttributes(const char* path) {
  char value[1];
  static_cast<void>(getxattr(path, "user.kvfs", value, sizeof value));
  static_cast<void>(listxattr(path, value, sizeof value));
  static_cast<void>(removexattr(path, "user.kvfs"));
  static_cast<void>(setxattr(path, "user.kvfs", value, 0, 0));
}

}  // namespace

bool OpenSuppressor::Run(const std::function<bool()>& make_first_open) {
  is_running_ = true;
  const bool is_usable = make_first_open();
  is_running_ = false;
  return is_usable;
}

bool OpenSuppressor::MakeFirstOpen(const char* mountpoint) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", mountpoint, kProbeName) >= PATH_MAX) return false;
  OpenAndClose(path, O_RDONLY);
  AskForExtendedAttributes(path);
  OpenAndClose(mountpoint, O_RDONLY | O_DIRECTORY);
  struct stat root;
  return stat(mountpoint, &root) == 0 || errno == EACCES;
}

bool OpenSuppressor::IsProbe(InodeNumber parent, std::string_view name) const {
  return is_running_ && parent == kRootDirectory && name == kProbeName;
}

InodeInfo OpenSuppressor::Inode() {
  InodeInfo inode;
  inode.number = kProbeInode;
  inode.attributes.mode = S_IFREG | 0644;
  inode.attributes.uid = geteuid();
  inode.attributes.gid = getegid();
  return inode;
}

}  // namespace kvfs::fs
