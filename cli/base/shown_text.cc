// The quoting rules are those of GNU ls's style "shell-escape"; a test compares the two.

#include "cli/base/shown_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "cli/base/terminal.h"

namespace kvfs::cli {
namespace {

bool IsBidirectional(uint32_t code) {
  return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool Hides(uint32_t code) {
  return code == 0x00ad || (code >= 0x200b && code <= 0x200d) || code == 0x2060 || code == 0xfeff ||
         (code >= 0xe0000 && code <= 0xe007f);
}

std::string Escape(unsigned char byte) {
  switch (byte) {
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    case '\t':
      return "\\t";
    case '\n':
      return "\\n";
    case '\v':
      return "\\v";
    case '\f':
      return "\\f";
    case '\r':
      return "\\r";
    default:
      return fmt::format("\\{:03o}", byte);
  }
}

std::string EscapeAll(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += Escape(static_cast<unsigned char>(byte));
  return out;
}

// Passes the text on in pieces: printable characters, and bytes that must be escaped.
template <typename Take>
void ForEachPiece(std::string_view text, bool is_utf8, const Take& take) {
  while (!text.empty()) {
    const Character it = FirstCharacter(text);
    const bool can_be_shown = it.bytes > 0 && !IsUnsafe(it.code) && (is_utf8 || it.code < 0x80);
    const size_t length = std::max<size_t>(it.bytes, 1);
    take(text.substr(0, length), can_be_shown);
    text.remove_prefix(length);
  }
}

// Whether a shell would interpret a character of the name.
bool NeedsQuotes(std::string_view name) {
  constexpr std::string_view kAnywhere = " !\"$&'()*;<=>?[\\^`|";
  constexpr std::string_view kAtTheStart = "#~";
  if (name.empty() || name == "{" || name == "}") return true;
  return kAtTheStart.find(name.front()) != std::string_view::npos ||
         name.find_first_of(kAnywhere) != std::string_view::npos;
}

// "it's" is easier to read than 'it'\''s'. Only where ls(1) does so: '#' and '~' at the start, but
// no character that a shell would interpret elsewhere.
bool FitsIntoDoubleQuotes(std::string_view name) {
  return name.find('\'') != std::string_view::npos &&
         name.find_first_of("!\"$&()*;<=>?[\\^`|{}") == std::string_view::npos &&
         name.find_first_of("#~", 1) == std::string_view::npos;
}

bool IsTerminal(std::FILE* stream) { return cli::IsTerminal(::fileno(stream)); }

}  // namespace

Character FirstCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first < 0xc2   ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) return {};
  uint32_t code = first & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  // Overlong encodings; surrogates; above U+10FFFF.
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {};
  return {code, length};
}

bool IsUnsafe(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         IsBidirectional(code) || Hides(code);
}

std::string QuotedName(std::string_view name, bool is_utf8) {
  bool is_plain = true;
  ForEachPiece(name, is_utf8, [&](std::string_view, bool shown) { is_plain = is_plain && shown; });
  if (is_plain && !NeedsQuotes(name)) return std::string(name);
  if (is_plain && FitsIntoDoubleQuotes(name)) return fmt::format("\"{}\"", name);
  std::string out = "'";
  bool is_escaping = false;
  ForEachPiece(name, is_utf8, [&](std::string_view piece, bool shown) {
    if (!shown) {
      out += is_escaping ? EscapeAll(piece) : "'$'" + EscapeAll(piece);
    } else {
      // A quote ends the escape by itself.
      if (is_escaping && piece != "'") out += "''";
      out += piece == "'" ? "'\\''" : std::string(piece);
    }
    is_escaping = !shown;
  });
  return out + "'";
}

std::string EscapedText(std::string_view text, bool is_utf8) {
  std::string out;
  ForEachPiece(text, is_utf8, [&](std::string_view piece, bool shown) {
    out += shown ? std::string(piece) : EscapeAll(piece);
  });
  return out;
}

std::string ShownName(std::FILE* stream, std::string_view name) {
  return IsTerminal(stream) ? QuotedName(name, LocaleIsUtf8()) : std::string(name);
}

std::string ShownText(std::FILE* stream, std::string_view text) {
  return IsTerminal(stream) ? EscapedText(text, LocaleIsUtf8()) : std::string(text);
}

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string locale(value);
    std::ranges::transform(locale, locale.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  }
  return false;
}

}  // namespace kvfs::cli
