// The limits are Linux's: fs/namei.c, fs/xattr.c, security/commoncap.c.
#include "fs/new_entry.h"

#include <sys/stat.h>

#include <string>

#include <kvfs/bytes.h>
#include "fs/access_list.h"

namespace kvfs::fs {
namespace {

constexpr std::string_view kCapabilityXattr = "security.capability";
constexpr size_t kCapabilityBytes[] = {12, 20, 24};  // of its revisions 1, 2 and 3

bool IsType(uint32_t type) {
  for (const uint32_t known : {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}) {
    if (type == known) return true;
  }
  return false;
}

Result<void> CheckCapability(std::string_view value) {
  if (value.size() >= 4) {
    const uint32_t revision = LoadLittle<uint32_t>(AsBytes(value).data()) >> 24;
    if (revision >= 1 && revision <= 3 && value.size() == kCapabilityBytes[revision - 1]) return {};
  }
  return Fail(ErrorCode::kInvalid, "it is not a set of capabilities");
}

Result<void> CheckListOf(const Attributes& attributes, std::string_view name,
                         std::string_view value) {
  if (attributes.IsSymbolicLink()) {
    return Fail(ErrorCode::kUnsupported, "a symbolic link has no access control list");
  }
  if (name == kDefaultListXattr && !attributes.IsDirectory()) {
    return Fail(ErrorCode::kInvalid, "only a directory has a default access control list");
  }
  const auto list = AccessList::Decode(value);
  if (!list) return Fail(list.error().code, "it is not an access control list");
  return {};
}

}  // namespace

Result<void> CheckSymlinkTargetSize(uint64_t bytes) {
  if (bytes == 0) return Fail(ErrorCode::kInvalid, "a symbolic link needs a target");
  if (bytes <= kMaxSymlinkTargetBytes) return {};
  return Fail(ErrorCode::kNameTooLong,
              "its target has " + std::to_string(bytes) + " bytes, and at most " +
                  std::to_string(kMaxSymlinkTargetBytes) + " can be followed");
}

Result<void> CheckSymlinkTarget(std::string_view target) {
  KVFS_TRY(CheckSymlinkTargetSize(target.size()));
  if (target.find('\0') != target.npos) {
    return Fail(ErrorCode::kInvalid, "its target contains a NUL");
  }
  return {};
}

Result<void> CheckAttributes(const Attributes& a) {
  if (!IsType(a.mode & S_IFMT) || (a.mode & ~uint32_t{S_IFMT | 07777}) != 0) {
    return Fail(ErrorCode::kInvalid, "its mode is invalid");
  }
  if (a.uid == UINT32_MAX || a.gid == UINT32_MAX) {
    return Fail(ErrorCode::kInvalid, "its owner or group is invalid");
  }
  const bool is_device = S_ISCHR(a.mode) || S_ISBLK(a.mode);
  if (is_device ? a.device > UINT32_MAX : a.device != 0) {
    return Fail(ErrorCode::kInvalid, "its device number is invalid");
  }
  for (const Timespec& time : {a.atime, a.mtime, a.ctime}) {
    if (time.nanoseconds >= 1'000'000'000) {
      return Fail(ErrorCode::kInvalid, "one of its times has more than 999,999,999 nanoseconds");
    }
  }
  return {};
}

Result<void> CheckXattrOf(const Attributes& attributes, std::string_view name,
                          std::string_view value) {
  const auto valid = CheckXattrName(name);
  if (!valid) return Fail(valid.error().code, "a store does not hold it");
  if (name == kVersionXattr || name == kChecksumXattr) {
    return Fail(ErrorCode::kPermission, "every file has one of its own");
  }
  if (value.size() > kMaxXattrValueBytes) {
    return Fail(ErrorCode::kTooLarge, "it has " + std::to_string(value.size()) +
                                          " bytes, and one may have " +
                                          std::to_string(kMaxXattrValueBytes));
  }
  if (name == kAccessListXattr || name == kDefaultListXattr) {
    return CheckListOf(attributes, name, value);
  }
  if (name == kCapabilityXattr) return CheckCapability(value);
  if (name.starts_with("user.") && !attributes.IsRegular() && !attributes.IsDirectory()) {
    return Fail(ErrorCode::kUnsupported, "only files and directories have user attributes");
  }
  return {};
}

void TakeAccessList(Attributes& attributes, XattrMap& xattrs) {
  const auto found = xattrs.find(kAccessListXattr);
  if (found == xattrs.end() || attributes.IsSymbolicLink()) return;
  const auto list = AccessList::Decode(found->second);
  if (!list) return;
  attributes.mode = list->ModeOf(attributes.mode);
  if (list->SaysNoMoreThanMode()) xattrs.erase(found);
}

}  // namespace kvfs::fs
