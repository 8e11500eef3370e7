// Extended attributes of files on disk: reads and writes those that a store supports.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <kvfs/status.h>
#include "fs/xattrs.h"

namespace kvfs::cli {

// Called for each attribute that is left out.
using XattrSkip = std::function<void(const std::string& name, const std::string& reason)>;

// `path` is not followed if it is a symbolic link. If the file system has no extended attributes,
// `can_have_any` is set to false.
Result<fs::XattrMap> ReadDiskXattrs(const std::string& path, const XattrSkip& skip,
                                    bool* can_have_any);
void WriteDiskXattrs(const std::string& path, const fs::XattrMap& xattrs, const XattrSkip& skip);

// A path to a name in an open directory.
std::string PathInDirectory(int directory, std::string_view name);

}  // namespace kvfs::cli
