// How an entry is shown: as a line for people, as JSON for scripts.
#pragma once

#include <optional>
#include <string>

#include "cli/base/json_text.h"
#include "fs/inode_info.h"

namespace kvfs::cli {

// Both lists are for scripts: rows are added, never changed.
std::string_view KindName(const fs::Attributes& attributes);
// The bits of a mode for a name of KindName's; nothing for another.
std::optional<uint32_t> TypeOfKind(std::string_view name);
// As ls -l: "-rw-r--r--".
std::string ModeText(const fs::Attributes& attributes);
// 2026-01-31T12:00:00.000000000Z; @SECONDS.NANOSECONDS where the calendar ends.
std::string TimeText(const fs::Timespec& time);
// Takes what TimeText gives, and fewer digits of the second's parts. Nothing for another text.
std::optional<fs::Timespec> ParseTime(const std::string& text);

// As a line of ls -l, without the name.
std::string LongLine(const fs::InodeInfo& inode);
// Under the key `key`; `target` only of a symbolic link.
Json ToJson(const std::string& key, std::string_view name, const fs::InodeInfo& inode);

}  // namespace kvfs::cli
