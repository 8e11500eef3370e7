// The version of libfuse in this process.
#pragma once

#include <string>

namespace kvfs::fs {

std::string LibfuseVersion();

}  // namespace kvfs::fs
