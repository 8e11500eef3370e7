// What an entry may be: one rule for the kernel's calls, for commands, and for whatever comes in
// from archives and dumps. What breaks it is refused before anything of it is stored, since other
// programs could not read it back: a link with a target of 5,000 bytes ends every listing.
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

// Type and permissions as in stat(2), an owner that there can be (all bits set stands for "no
// change" in chown(2)), a device number that Linux can have, and one for devices only, and
// nanoseconds below 10^9: kInvalid.
Result<void> CheckAttributes(const Attributes& attributes);

// An extended attribute of an entry of that type, as Linux would let setxattr(2) set it: name and
// size; access control lists and file capabilities that make sense; "user." for files and
// directories only. kUnsupported, kNameTooLong, kTooLarge, kInvalid.
Result<void> CheckXattrOf(const Attributes& attributes, std::string_view name,
                          std::string_view value);

// Brings mode and access control list into step, as setxattr(2) does with the list: the mode gets
// the list's rights, with the list's mask for the group, and a list that says no more than a mode
// goes. Lists that make no sense are left for CheckXattrOf.
void TakeAccessList(Attributes& attributes, XattrMap& xattrs);

}  // namespace kvfs::fs
