// Access control lists as text, as tar archives have them:
// "user::rw-,user:1000:rwx,group::r--,...". libarchive reads them, and drops without a word what it
// does not understand; this says before what is wrong with one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kvfs::cli {

// Why the text is no list that can be taken as it stands; nothing if it is one. Entries are as
// acl_from_text(3) takes them, a number behind the permissions as star and bsdtar write it.
std::optional<std::string> FlawOfAccessListText(std::string_view text);

}  // namespace kvfs::cli
