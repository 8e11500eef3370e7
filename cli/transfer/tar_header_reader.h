// Parses the headers of a tar entry a second time: libarchive returns its interpretation, and does
// not report that a value ends at a NUL, is not a number, loses its sign, or comes from a global
// header. This does.
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
#include <utility>
#include <vector>

#include "fs/attributes.h"

namespace kvfs::cli {

// A part that cannot be imported as it is.
struct TarFlaw {
  bool is_of_entry;  // the whole entry is unusable; otherwise only `what` is
  std::string what;
  std::string reason;
};

struct TarHeaders {
  // From the headers; nothing where libarchive's value is right.
  std::optional<fs::Timespec> mtime;
  std::optional<fs::Timespec> atime;
  std::optional<fs::Timespec> ctime;
  std::optional<uint32_t> permissions;
  // From a global header, if the entry has none.
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::vector<TarFlaw> flaws;
  void AddFlawOfEntry(std::string reason) { flaws.push_back({true, "", std::move(reason)}); }
  void AddFlawOfPart(std::string what, std::string reason) {
    flaws.push_back({false, std::move(what), std::move(reason)});
  }
  // libarchive's interpretation of the parts that are left out: to be ignored.
  std::vector<std::string> false_xattrs;
  bool has_false_access_list = false;
  bool has_false_default_list = false;
};

// Records of global headers, kept from entry to entry.
using TarGlobals = std::map<std::string, std::string, std::less<>>;

// `bytes` holds all headers of one entry.
TarHeaders ReadTarHeaders(std::string_view bytes, TarGlobals& globals);

}  // namespace kvfs::cli
