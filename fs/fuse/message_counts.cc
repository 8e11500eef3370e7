// The kernel's names of its operations (linux/fuse.h).
#include "fs/fuse/message_counts.h"

namespace kvfs::fs {

std::string_view NameOf(MessageKind kind) {
  switch (kind) {
    case MessageKind::kLookup:
      return "lookup";
    case MessageKind::kForget:
      return "forget";
    case MessageKind::kGetattr:
      return "getattr";
    case MessageKind::kSetattr:
      return "setattr";
    case MessageKind::kReadlink:
      return "readlink";
    case MessageKind::kSymlink:
      return "symlink";
    case MessageKind::kMknod:
      return "mknod";
    case MessageKind::kMkdir:
      return "mkdir";
    case MessageKind::kUnlink:
      return "unlink";
    case MessageKind::kRmdir:
      return "rmdir";
    case MessageKind::kRename:
      return "rename";
    case MessageKind::kLink:
      return "link";
    case MessageKind::kOpen:
      return "open";
    case MessageKind::kRead:
      return "read";
    case MessageKind::kWrite:
      return "write";
    case MessageKind::kStatfs:
      return "statfs";
    case MessageKind::kRelease:
      return "release";
    case MessageKind::kFsync:
      return "fsync";
    case MessageKind::kSetxattr:
      return "setxattr";
    case MessageKind::kGetxattr:
      return "getxattr";
    case MessageKind::kListxattr:
      return "listxattr";
    case MessageKind::kRemovexattr:
      return "removexattr";
    case MessageKind::kFlush:
      return "flush";
    case MessageKind::kOpendir:
      return "opendir";
    case MessageKind::kReaddir:
      return "readdir";
    case MessageKind::kReleasedir:
      return "releasedir";
    case MessageKind::kFsyncdir:
      return "fsyncdir";
    case MessageKind::kCreate:
      return "create";
    case MessageKind::kForgetMulti:
      return "forget_multi";
    case MessageKind::kFallocate:
      return "fallocate";
    case MessageKind::kReaddirplus:
      return "readdirplus";
    case MessageKind::kLseek:
      return "lseek";
    case MessageKind::kCopyFileRange:
      return "copy_file_range";
    case MessageKind::kTmpfile:
      return "tmpfile";
  }
  return {};
}

}  // namespace kvfs::fs
