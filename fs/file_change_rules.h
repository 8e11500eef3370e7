// What a change of files by path may ask for, and which attributes it chooses.
#pragma once

#include "fs/attributes.h"
#include "fs/file_change.h"
#include "store/status.h"

namespace kvfs::fs {

// What is to be made must be something that can be: fs/new_entry.h. kInvalid, kTooLarge and the
// like, with the reason.
Result<void> CheckChange(const FileChange& change);

// Permissions, owner and times; the type stays.
void CopyChosen(const Attributes& from, Attributes& to);

}  // namespace kvfs::fs
