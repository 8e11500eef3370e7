// Formats entries: as lines for people, as JSON for scripts.
#pragma once

#include <optional>
#include <string>

#include "cli/base/json_text.h"
#include "fs/inode_info.h"

namespace kvfs::cli {

// For scripts: names are added, never changed.
std::string_view KindName(const fs::Attributes& attributes);
// The mode bits for a name from KindName; nothing for other names.
std::optional<uint32_t> TypeOfKind(std::string_view name);
// As ls -l: "-rw-r--r--".
std::string ModeText(const fs::Attributes& attributes);
// 2026-01-31T12:00:00.000000000Z; @SECONDS.NANOSECONDS where the calendar ends.
std::string TimeText(const fs::Timespec& time);
// Parses the output of TimeText, also with fewer fractional digits. Nothing for other texts.
std::optional<fs::Timespec> ParseTime(const std::string& text);

// As a line of ls -l, without the name.
std::string LongLine(const fs::InodeInfo& inode);
// The object has the entry's name under `key`; `target` is only for a symbolic link.
Json ToJson(const std::string& key, std::string_view name, const fs::InodeInfo& inode);

}  // namespace kvfs::cli
