// Makes untrusted names and texts safe to print.
//
// A name in a store, the target of a link, a line of a daemon or of a damaged file may hold any
// bytes. A terminal obeys some of them: escape sequences move its cursor, set its title or type for
// the user, and bidirectional control characters change what is shown. So all printed text goes
// through here. On other outputs, such as a pipe, it is unchanged, except in a log, where a line
// always stays one line.
//
// Escaped are: control characters (of ASCII, and U+0080 to U+009F), line and paragraph separators,
// bidirectional control characters, invisible characters of zero width, and bytes that are not
// UTF-8. If the locale is not UTF-8, everything but ASCII, as in ls(1).
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace kvfs::cli {

// The first character of a non-empty text.
struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  // 0: it is not UTF-8
};
Character FirstCharacter(std::string_view text);

// Whether a terminal may do something other than show it.
bool IsUnsafe(uint32_t code);

// A name for `stream`: on a terminal, quoted as ls(1) quotes it for a shell, if needed.
std::string ShownName(std::FILE* stream, std::string_view name);
// A sentence for `stream`, which may contain names: on a terminal, unsafe characters as \033.
std::string ShownText(std::FILE* stream, std::string_view text);

// The same for any output.
std::string QuotedName(std::string_view name, bool is_utf8);
std::string EscapedText(std::string_view text, bool is_utf8 = true);

// Whether the environment's locale is UTF-8.
bool LocaleIsUtf8();

}  // namespace kvfs::cli
