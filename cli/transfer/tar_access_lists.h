// The access control lists of a tar entry, which libarchive reads from text of several kinds.
#pragma once

#include <archive_entry.h>

#include <string>

#include "cli/transfer/tar_header_reader.h"
#include "cli/transfer/transfer.h"
#include "fs/xattrs.h"

namespace kvfs::cli {

// Adds the lists as the kernel's extended attributes. If a list is present both as text and as an
// extended attribute, the latter is the kernel's, and stays. A list that a store cannot hold is
// reported and left out.
void AddAccessLists(archive_entry* entry, const TarHeaders& headers, const std::string& path,
                    fs::XattrMap& xattrs, EntrySink& sink);

}  // namespace kvfs::cli
