// A table of keys, and checks of the fields of the 512-byte header.

#include "cli/transfer/tar_header_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include "cli/transfer/access_list_text.h"

namespace kvfs::cli {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr uint32_t kSecond = 1'000'000'000;
constexpr size_t kTypeAt = 156;

struct Field {
  std::string_view key;  // of the record that overrides it
  size_t at;
  size_t bytes;
};
constexpr Field kMode = {"", 100, 8};
constexpr Field kUid = {"uid", 108, 8};
constexpr Field kGid = {"gid", 116, 8};
constexpr Field kSize = {"size", 124, 12};
constexpr Field kMtime = {"mtime", 136, 12};
constexpr Field kMajor = {"SCHILY.devmajor", 329, 8};
constexpr Field kMinor = {"SCHILY.devminor", 337, 8};

bool IsBinary(std::string_view field) { return (static_cast<unsigned char>(field[0]) & 0x80) != 0; }

// The field's text before the terminating NUL or blank.
std::string_view DigitsIn(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  return field.substr(0, field.find_first_of(std::string_view("\0 ", 2)));
}

bool IsNumber(std::string_view field) {
  if (IsBinary(field)) return true;
  std::string_view digits = DigitsIn(field);
  if (digits.starts_with('-')) digits.remove_prefix(1);
  return digits.find_first_not_of("01234567") == std::string_view::npos;
}

std::optional<uint32_t> OctalIn(std::string_view field) {
  const std::string_view digits = DigitsIn(field);
  uint32_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return number;
}

// Size of the body after a header; libarchive ends the archive at a larger one.
size_t SizeIn(std::string_view block) {
  const std::string_view field = block.substr(kSize.at, kSize.bytes);
  size_t size = 0;
  if (IsBinary(field)) {
    for (const char byte : field.substr(4)) size = size << 8 | static_cast<unsigned char>(byte);
    return size;
  }
  const std::string_view digits = DigitsIn(field);
  std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
  return size;
}

bool IsDecimal(std::string_view text) {
  return !text.empty() && text.size() < 20 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsAnyOf(std::string_view key, std::initializer_list<std::string_view> keys) {
  return std::ranges::find(keys, key) != keys.end();
}

// Keys that are not attributes of an entry: comments, device and inode numbers, names of owners in
// addition to their ids; and keys that libarchive handles, and reports errors of.
bool IsOfNoAttribute(std::string_view key) {
  return key.starts_with("GNU.sparse.") ||
         IsAnyOf(key,
                 {"comment", "charset", "hdrcharset", "uname", "gname", "SCHILY.dev", "SCHILY.ino",
                  "SCHILY.nlink", "SCHILY.filetype", "SCHILY.realsize", "SCHILY.release",
                  "SCHILY.archtype", "SCHILY.volhdr", "LIBARCHIVE.symlinktype",
                  "LIBARCHIVE.creationtime", "SCHILY.devmajor", "SCHILY.devminor", "size"});
}

bool IsXattr(std::string_view key) {
  return key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr.") ||
         key == "RHT.security.selinux";
}

bool IsBase64(std::string_view text) {
  text = text.substr(0, text.find_last_not_of('=') + 1);
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
}

bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// Visits each record; false at an invalid one, where libarchive stops, too: names and sizes may
// follow it.
template <typename Visit>
bool ForRecords(std::string_view body, const Visit& visit) {
  while (!body.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), length);
    const auto digits = static_cast<size_t>(end - body.data());
    if (error != std::errc() || length <= digits + 1 || length > body.size()) return false;
    const std::string_view record = body.substr(digits + 1, length - digits - 1);
    const size_t equals = record.find('=');
    if (body[digits] != ' ' || !record.ends_with('\n') || equals == std::string_view::npos) {
      return false;
    }
    if (HasNul(record.substr(0, equals))) return false;
    visit(record.substr(0, equals), record.substr(equals + 1, record.size() - equals - 2));
    body.remove_prefix(length);
  }
  return true;
}

class HeaderReader {
 public:
  HeaderReader(std::string_view bytes, TarGlobals& globals) : bytes_(bytes), globals_(globals) {}

  TarHeaders Run() {
    while (bytes_.size() >= kBlockBytes) {
      const std::string_view block = bytes_.substr(0, kBlockBytes);
      const char type = block[kTypeAt];
      if (std::string_view("xXgLKVA").find(type) == std::string_view::npos) {
        ReadHeader(block, type);
        break;
      }
      const size_t size = SizeIn(block);
      if (size > bytes_.size() - kBlockBytes) break;
      ReadBody(type, bytes_.substr(kBlockBytes, size));
      const size_t padded = (size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
      bytes_.remove_prefix(std::min(kBlockBytes + padded, bytes_.size()));
    }
    CheckLists();
    TakeGlobals();
    return std::move(out_);
  }

 private:
  void FlawOfEntry(std::string reason) { out_.flaws.push_back({true, "", std::move(reason)}); }
  void FlawOfPart(std::string what, std::string reason) {
    out_.flaws.push_back({false, std::move(what), std::move(reason)});
  }

  void ReadBody(char type, std::string_view body) {
    bool is_whole = true;
    if (type == 'x' || type == 'X') {
      is_whole =
          ForRecords(body, [&](std::string_view key, std::string_view value) { Take(key, value); });
    } else if (type == 'g') {
      is_whole = ForRecords(body, [&](std::string_view key, std::string_view value) {
        globals_.insert_or_assign(std::string(key), std::string(value));
      });
    } else if (type == 'L' || type == 'K') {
      const size_t nul = body.find('\0');
      const bool is_cut = nul != std::string_view::npos &&
                          body.find_first_not_of('\0', nul) != std::string_view::npos;
      if (is_cut) FlawOfEntry("its name has a NUL");
    }
    if (!is_whole) FlawOfEntry("a record of its headers is damaged");
  }

  // If a key is repeated, the last value counts, by the format.
  void Take(std::string_view key, std::string_view value) {
    if (IsXattr(key)) return TakeXattr(key, value);
    own_.insert_or_assign(std::string(key), std::string(value));
    if (IsAnyOf(key, {"path", "linkpath", "GNU.sparse.name"})) {
      if (HasNul(value)) FlawOfEntry("its name, or its target, has a NUL");
    } else if (IsAnyOf(key, {"uid", "gid", "size", "SCHILY.devmajor", "SCHILY.devminor"})) {
      const bool is_negative = value.starts_with('-');  // invalid for an owner, and reported
      if (!value.empty() && !IsDecimal(value.substr(is_negative ? 1 : 0))) {
        FlawOfEntry(fmt::format("its {} is not a number: {}", key, value));
      }
    } else if (!IsAnyOf(key, {"mtime", "atime", "ctime"}) && !key.starts_with("SCHILY.acl.") &&
               !IsOfNoAttribute(key)) {
      FlawOfPart(std::string(key), "a store has no such attribute");
    }
  }

  // If the list is also present as an extended attribute, that takes precedence.
  void CheckLists() {
    for (const char* kind : {"access", "default"}) {
      const auto list = own_.find(std::string("SCHILY.acl.") + kind);
      if (list == own_.end() || xattrs_.contains(std::string("system.posix_acl_") + kind)) continue;
      // An empty value cancels that of a global header.
      if (list->second.empty()) continue;
      const auto flaw = FlawOfAccessListText(list->second);
      if (!flaw) continue;
      (list->first.ends_with("access") ? out_.has_false_access_list : out_.has_false_default_list) =
          true;
      FlawOfPart("an access control list", *flaw);
    }
  }

  void TakeXattr(std::string_view key, std::string_view value) {
    if (key.starts_with("SCHILY.xattr.")) xattrs_.emplace(key.substr(key.find(".xattr.") + 7));
    if (!key.starts_with("LIBARCHIVE.xattr.") || IsBase64(value)) return;
    const std::string_view name = key.substr(key.find(".xattr.") + 7);
    out_.false_xattrs.emplace_back(name);
    FlawOfPart(fmt::format("the extended attribute {}", name), "it is not base64");
  }

  std::optional<fs::Timespec> TimeOf(std::string_view key) {
    const auto own = own_.find(key);
    const auto global = globals_.find(key);
    const bool is_own = own != own_.end();
    if (!is_own && global == globals_.end()) return {};
    const std::string& text = is_own ? own->second : global->second;
    // An empty value cancels that of another header.
    if (text.empty()) return key == "mtime" ? header_mtime_ : out_.mtime;
    const auto exact = ParsePaxTime(text);
    if (exact) return exact;
    const auto cut = ParsePaxTime(text.substr(0, text.find('.')) + FirstNine(text));
    if (cut) {
      FlawOfPart(fmt::format("the last digits of {}", key),
                 fmt::format("a time has nine fractional digits: {}", text));
      return cut;
    }
    FlawOfPart(std::string(key), fmt::format("a store cannot hold this time: {}", text));
    return fs::Timespec{};  // and not its leading digits
  }
  // ".123456789" of a time with more digits.
  static std::string FirstNine(std::string_view text) {
    const size_t point = text.find('.');
    if (point == std::string_view::npos) return "";
    const std::string_view parts = text.substr(point);
    return std::string(parts.find_first_not_of("0123456789", 1) == std::string_view::npos
                           ? parts.substr(0, 10)
                           : parts);
  }

  std::optional<uint32_t> OwnerOf(std::string_view key) {
    const auto global = globals_.find(key);
    if (own_.contains(key) || global == globals_.end() || global->second.empty()) return {};
    uint32_t owner = UINT32_MAX;  // an invalid id, refused as an owner
    const std::string& text = global->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), owner);
    return error == std::errc() && end == text.data() + text.size() ? owner : UINT32_MAX;
  }

  void TakeGlobals() {
    out_.mtime = TimeOf("mtime");
    out_.atime = TimeOf("atime");
    out_.ctime = TimeOf("ctime");
    out_.uid = OwnerOf("uid");
    out_.gid = OwnerOf("gid");
    for (const auto& [key, value] : globals_) {
      if (IsAnyOf(key, {"mtime", "atime", "ctime", "uid", "gid"}) || own_.contains(key)) continue;
      const bool is_told = IsOfNoAttribute(key) && key != "size" && !key.starts_with("GNU.sparse.");
      if (is_told || key == "hdrcharset") continue;
      FlawOfPart(key, "it is in a header for all later entries, which are imported without it");
    }
    // Report it only once.
    std::erase_if(globals_, [](const auto& record) {
      return !IsAnyOf(record.first, {"mtime", "atime", "ctime", "uid", "gid"});
    });
  }

  void CheckField(std::string_view block, const Field& field, std::string_view name) {
    const bool is_overridden = own_.contains(field.key) && !own_.find(field.key)->second.empty();
    if (is_overridden || IsNumber(block.substr(field.at, field.bytes))) return;
    if (field.at == kMtime.at) {
      own_.insert_or_assign("mtime", "a field that is not a number");
    } else {
      FlawOfEntry(fmt::format("its {} is not a number", name));
    }
  }

  void ReadHeader(std::string_view block, char type) {
    out_.permissions = OctalIn(block.substr(kMode.at, kMode.bytes));
    if (const auto mtime = OctalIn(block.substr(kMtime.at, kMtime.bytes))) {
      header_mtime_ = {static_cast<int64_t>(*mtime), 0};
    }
    CheckField(block, kMode, "mode");
    CheckField(block, kUid, "owner");
    CheckField(block, kGid, "group");
    CheckField(block, kSize, "size");
    CheckField(block, kMtime, "time");
    if (type == '3' || type == '4') {
      CheckField(block, kMajor, "device");
      CheckField(block, kMinor, "device");
    }
    if (type == 'M') FlawOfEntry("it is the rest of a file that begins in another volume");
    if (std::string_view("01234567SDM\0", 12).find(type) == std::string_view::npos) {
      FlawOfPart(fmt::format("the kind '{}'", type),
                 "it is unknown: the entry is imported as a file");
    }
  }

  std::string_view bytes_;
  TarGlobals& globals_;
  std::map<std::string, std::string, std::less<>> own_;
  std::optional<fs::Timespec> header_mtime_;
  std::set<std::string> xattrs_;  // names that records of GNU tar's kind give
  TarHeaders out_;
};

}  // namespace

TarHeaders ReadTarHeaders(std::string_view bytes, TarGlobals& globals) {
  return HeaderReader(bytes, globals).Run();
}

std::optional<fs::Timespec> ParsePaxTime(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string parts(text.substr(std::min(whole.size() + 1, text.size())));
  parts.resize(parts.find_last_not_of('0') + 1);
  if (!IsDecimal(whole) || parts.size() > 9) return {};
  if (!parts.empty() && !IsDecimal(parts)) return {};
  parts.resize(9, '0');
  fs::Timespec time;
  const auto parsed = std::from_chars(whole.data(), whole.data() + whole.size(), time.seconds);
  if (parsed.ec != std::errc()) return {};
  std::from_chars(parts.data(), parts.data() + parts.size(), time.nanoseconds);
  if (!is_negative) return time;
  if (time.nanoseconds == 0) return fs::Timespec{-time.seconds, 0};
  return fs::Timespec{-time.seconds - 1, kSecond - time.nanoseconds};
}

std::string PaxTimeText(const fs::Timespec& time) {
  if (time.nanoseconds == 0) return fmt::format("{}", time.seconds);
  const bool is_negative = time.seconds < 0;
  const int64_t whole = is_negative ? -(time.seconds + 1) : time.seconds;
  std::string text = fmt::format("{}{}.{:09}", is_negative ? "-" : "", whole,
                                 is_negative ? kSecond - time.nanoseconds : time.nanoseconds);
  text.resize(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace kvfs::cli
