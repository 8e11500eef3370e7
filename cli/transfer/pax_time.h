// Times in the records of a tar archive: "-1.25" is seconds, with fractional digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/attributes.h"

namespace kvfs::cli {

// Up to nine significant fractional digits. Nothing for other texts.
std::optional<fs::Timespec> ParsePaxTime(std::string_view text);
// The same, without the fractional digits after the ninth.
std::optional<fs::Timespec> ParseCutPaxTime(std::string_view text);

std::string PaxTimeText(const fs::Timespec& time);

}  // namespace kvfs::cli
