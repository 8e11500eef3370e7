// The headers of an entry of a tar archive, read a second time: libarchive hands out what it makes
// of them, and is silent where a value ends at a NUL, is no number, has a sign that is lost, or
// stands in a header that is of all entries. What is told here is what it does not tell.
//
//   [x: records of the entry]...  [g: records of all that follow]...  [L, K: a long name]...
//   the header itself             each of 512 bytes, those before the last with a body behind them
//   record: LENGTH KEY=VALUE\n    in a body of x and g
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/attributes.h"

namespace kvfs::cli {

// What cannot come in as it is.
struct TarFlaw {
  bool is_of_entry;  // nothing of the entry can be believed; else it is without `what`
  std::string what;
  std::string reason;
};

struct TarHeaders {
  // As the headers tell them; nothing where libarchive knows better.
  std::optional<fs::Timespec> mtime;
  std::optional<fs::Timespec> atime;
  std::optional<fs::Timespec> ctime;
  std::optional<uint32_t> permissions;
  // Of the header of all entries, if the entry tells none of its own.
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::vector<TarFlaw> flaws;
  // What libarchive makes of a part that is left out: not to be believed.
  std::vector<std::string> false_xattrs;
  bool has_false_access_list = false;
  bool has_false_default_list = false;
};

// Records of headers of all entries, to be kept from entry to entry.
using TarGlobals = std::map<std::string, std::string, std::less<>>;

// `bytes` are all headers of one entry.
TarHeaders ReadTarHeaders(std::string_view bytes, TarGlobals& globals);

// "-1.25", as in records: seconds and up to nine digits that are not lost. Nothing for another
// text.
std::optional<fs::Timespec> ParsePaxTime(std::string_view text);
std::string PaxTimeText(const fs::Timespec& time);

}  // namespace kvfs::cli
