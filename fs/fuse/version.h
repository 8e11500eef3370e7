// The version of libfuse that this process runs with.
#pragma once

#include <string>

namespace kvfs::fs {

std::string LibfuseVersion();

}  // namespace kvfs::fs
