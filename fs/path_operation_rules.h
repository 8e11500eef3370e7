// Rules for changes by path: their validity, and the attributes that they set.
#pragma once

#include <kvfs/status.h>
#include "fs/attributes.h"
#include "fs/path_operation.h"

namespace kvfs::fs {

// Checks that the new entry is valid: fs/new_entry.h. kInvalid, kTooLarge and the like, with the
// reason.
Result<void> CheckChange(const PathOperation& change);

// Copies permissions, owner and times; the type stays.
void CopyChosen(const Attributes& from, Attributes& to);

}  // namespace kvfs::fs
