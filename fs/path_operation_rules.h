// What a change of files by path may ask for, and which attributes it chooses.
#pragma once

#include <kvfs/status.h>
#include "fs/attributes.h"
#include "fs/path_operation.h"

namespace kvfs::fs {

// What is to be made must be something that can be: fs/new_entry.h. kInvalid, kTooLarge and the
// like, with the reason.
Result<void> CheckChange(const PathOperation& change);

// Permissions, owner and times; the type stays.
void CopyChosen(const Attributes& from, Attributes& to);

}  // namespace kvfs::fs
