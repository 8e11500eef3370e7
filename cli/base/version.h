// The version of this program.
#pragma once

namespace kvfs::cli {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace kvfs::cli
