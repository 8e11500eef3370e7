// The attributes of a tar entry: libarchive's, corrected by the entry's headers.
#pragma once

#include <archive_entry.h>

#include <string>
#include <string_view>

#include "cli/transfer/tar_header_reader.h"
#include "cli/transfer/transfer.h"
#include "fs/attributes.h"
#include "fs/xattrs.h"

namespace kvfs::cli {

fs::Attributes TarAttributesOf(archive_entry* entry, const TarHeaders& headers);

// The extended attributes, with the access control lists among them. What a store cannot hold is
// reported and left out.
fs::XattrMap TarXattrsOf(archive_entry* entry, const TarHeaders& headers, const std::string& path,
                         EntrySink& sink);

// Normalises a name like tar(1): without leading slashes, and without empty or "." components, as
// in "src/./a" and "src//a".
std::string TarKeyPathOf(std::string_view name);

}  // namespace kvfs::cli
