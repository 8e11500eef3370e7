// Names and words from elsewhere, shown so that they are nothing but text.
//
// A name in a store, the target of a link, a line of a daemon or of a damaged file may hold any
// bytes. A terminal obeys some of them: escape sequences move its cursor, set its title or type for
// the user, and marks of bidirectional text have it show something else. So all that is printed
// goes through here. Where nobody looks, as in a pipe, it stays as it is, to the byte, but in a
// log: a line there is always one line.
//
// What is not shown as it is: control characters (of ASCII, and U+0080 to U+009F), line and
// paragraph separators, marks of bidirectional text, characters without width that hide, and bytes
// that are not UTF-8. Where the locale is not UTF-8, all that is not ASCII, as in ls(1).
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace kvfs::cli {

// The character at the front of a text that is not empty.
struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  // 0: it is not UTF-8
};
Character FirstCharacter(std::string_view text);

// Whether a terminal may do something else than to show it.
bool IsUnsafe(uint32_t code);

// A name for `stream`: on a terminal quoted as ls(1) quotes it for a shell, if need be.
std::string ShownName(std::FILE* stream, std::string_view name);
// A sentence for `stream`, which may have names in it: on a terminal, what is unsafe as \033.
std::string ShownText(std::FILE* stream, std::string_view text);

// The same, wherever it is shown.
std::string QuotedName(std::string_view name, bool is_utf8);
std::string EscapedText(std::string_view text, bool is_utf8 = true);

// Whether the environment says that characters are UTF-8.
bool LocaleIsUtf8();

}  // namespace kvfs::cli
