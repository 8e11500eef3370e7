// Validity of new entries: one rule for the kernel's calls, for commands, and for imports of
// archives and dumps. Invalid entries are refused before anything is stored, since other programs
// could not read them back: a symbolic link with a target of 5,000 bytes breaks every listing.
//
// Names have a rule of their own: fs/names.h.
#pragma once

#include <cstdint>
#include <string_view>

#include <kvfs/status.h>
#include "fs/attributes.h"
#include "fs/xattrs.h"

namespace kvfs::fs {

// Linux's PATH_MAX without the final NUL.
inline constexpr size_t kMaxSymlinkTargetBytes = 4095;

// 1 to 4,095 bytes, without a NUL: kInvalid, kNameTooLong. The messages name the limit.
Result<void> CheckSymlinkTarget(std::string_view target);
Result<void> CheckSymlinkTargetSize(uint64_t bytes);

// Checks for a type and permissions as in stat(2), a possible owner (all bits set means "no change"
// in chown(2)), a device number for devices only, in Linux's range, and nanoseconds below 10^9:
// kInvalid.
Result<void> CheckAttributes(const Attributes& attributes);

// Checks an extended attribute for an entry of this type, as Linux's setxattr(2) does: name and
// size; well-formed access control lists and file capabilities; "user." for files and directories
// only. kUnsupported, kNameTooLong, kTooLarge, kInvalid.
Result<void> CheckXattrOf(const Attributes& attributes, std::string_view name,
                          std::string_view value);

// Makes mode and access control list consistent, as setxattr(2) does: the mode gets the list's
// permissions, with the list's mask for the group, and a list that the mode alone can express is
// dropped. Malformed lists are left for CheckXattrOf.
void TakeAccessList(Attributes& attributes, XattrMap& xattrs);

}  // namespace kvfs::fs
