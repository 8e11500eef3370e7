// Access control lists as text, as in tar archives: "user::rw-,user:1000:rwx,group::r--,...".
// libarchive reads them, and silently drops what it does not understand; this check reports errors
// beforehand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kvfs::cli {

// Why the text is not a valid list; nothing if it is. Entries are as in acl_from_text(3), with a
// number after the permissions as written by star and bsdtar.
std::optional<std::string> FlawOfAccessListText(std::string_view text);

}  // namespace kvfs::cli
