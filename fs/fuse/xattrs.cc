// Messages for extended attributes, if the mount has them.
//
// A missing SELinux label, and any access control list on a mount without them, is answered with
// EOPNOTSUPP: programs like ls then stop requesting them.
#include <sys/xattr.h>

#include <cerrno>
#include <string>

#include "fs/access_list.h"
#include "fs/fuse/errno.h"
#include "fs/fuse/operations.h"

namespace kvfs::fs {
namespace {

constexpr std::string_view kSelinuxLabel = "security.selinux";
constexpr std::string_view kTrusted = "trusted.";

int XattrErrno(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return ENODATA;
    case ErrorCode::kTooLarge:
      return E2BIG;
    case ErrorCode::kNameTooLong:
      return ERANGE;
    default:
      return ToErrno(code);
  }
}

void ReplyXattrDone(fuse_req_t request, const Result<void>& result) {
  fuse_reply_err(request, result ? 0 : XattrErrno(result.error().code));
}

// A request with no room asks for the size.
void ReplyValue(fuse_req_t request, const std::string& value, size_t room) {
  if (room == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (value.size() > room) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
}

bool IsOff(const FuseContext& context, std::string_view name) {
  if (context.options.access_lists) return false;
  return name == kAccessListXattr || name == kDefaultListXattr;
}

void HandleGetxattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t room) {
  FuseContext& context = ContextOf(request, MessageKind::kGetxattr);
  if (IsOff(context, name)) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  const auto value = context.file_system.GetXattr(inode, name);
  if (value) return ReplyValue(request, *value, room);
  const bool is_unlabelled = name == kSelinuxLabel && value.error().code == ErrorCode::kNotFound;
  fuse_reply_err(request, is_unlabelled ? EOPNOTSUPP : XattrErrno(value.error().code));
}

void HandleListxattr(fuse_req_t request, fuse_ino_t inode, size_t room) {
  FuseContext& context = ContextOf(request, MessageKind::kListxattr);
  const auto names = context.file_system.ListXattrs(inode);
  if (!names) {
    fuse_reply_err(request, XattrErrno(names.error().code));
    return;
  }
  const bool sees_trusted = CallerOf(request).uid == 0;
  std::string list;
  for (const std::string& name : *names) {
    if (IsOff(context, name) || (name.starts_with(kTrusted) && !sees_trusted)) continue;
    list += name;
    list += '\0';
  }
  ReplyValue(request, list, room);
}

XattrMode ToXattrMode(int flags) {
  if (flags & XATTR_CREATE) return XattrMode::kCreate;
  return flags & XATTR_REPLACE ? XattrMode::kReplace : XattrMode::kAny;
}

void HandleSetxattr(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value,
                    size_t size, int flags) {
  FuseContext& context = ContextOf(request, MessageKind::kSetxattr);
  if (IsOff(context, name)) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  ReplyXattrDone(request, context.file_system.SetXattr(inode, name, {value, size},
                                                       ToXattrMode(flags), CallerOf(request)));
}

void HandleRemovexattr(fuse_req_t request, fuse_ino_t inode, const char* name) {
  FuseContext& context = ContextOf(request, MessageKind::kRemovexattr);
  if (IsOff(context, name)) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  ReplyXattrDone(request, context.file_system.RemoveXattr(inode, name));
}

}  // namespace

void AddXattrOperations(fuse_lowlevel_ops& operations) {
  operations.getxattr = HandleGetxattr;
  operations.listxattr = HandleListxattr;
  operations.setxattr = HandleSetxattr;
  operations.removexattr = HandleRemovexattr;
}

}  // namespace kvfs::fs
