// Keys are those of POSIX, of star (SCHILY) and of GNU tar.

#include "cli/transfer/tar_records.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "cli/base/json_text.h"
#include "cli/transfer/pax_time.h"
#include "fs/access_list.h"

namespace kvfs::cli {
namespace {

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string TextOf(const TarRecord& record) {
  const size_t rest = record.key.size() + record.value.size() + 3;
  size_t length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length) {
    length = fmt::formatted_size("{}", length) + rest;
  }
  return fmt::format("{} {}={}\n", length, record.key, record.value);
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A name ends at the first '=', so GNU tar encodes '=' and its escape character.
std::string XattrKeyOf(std::string_view name) {
  std::string key = "SCHILY.xattr.";
  for (const char c : name) {
    if (c == '=' || c == '%') {
      key += c == '=' ? "%3D" : "%25";
    } else {
      key += c;
    }
  }
  return key;
}

// "user::rw-,user:1234:r--,group::r--,mask::rw-,other::---"
std::string ListText(const fs::AccessList& list) {
  using Tag = fs::AccessList::Tag;
  std::string text;
  for (const fs::AccessList::Entry& entry : list.entries()) {
    const bool is_user = entry.tag == Tag::kOwner || entry.tag == Tag::kUser;
    const bool is_group = entry.tag == Tag::kOwningGroup || entry.tag == Tag::kGroup;
    const bool has_id = entry.tag == Tag::kUser || entry.tag == Tag::kGroup;
    const std::string_view who = is_user                   ? "user"
                                 : is_group                ? "group"
                                 : entry.tag == Tag::kMask ? "mask"
                                                           : "other";
    if (!text.empty()) text += ',';
    text += fmt::format("{}:{}:{}{}{}", who, has_id ? fmt::to_string(entry.id) : "",
                        entry.permissions & 4 ? 'r' : '-', entry.permissions & 2 ? 'w' : '-',
                        entry.permissions & 1 ? 'x' : '-');
  }
  return text;
}

// Adds the list as text, too, for `tar --acls` and bsdtar.
void AddList(std::string_view name, std::string_view value, TarRecords& records) {
  const bool is_access = name == fs::kAccessListXattr;
  if (!is_access && name != fs::kDefaultListXattr) return;
  const auto list = fs::AccessList::Decode(value);
  if (!list) return;
  records.push_back({is_access ? "SCHILY.acl.access" : "SCHILY.acl.default", ListText(*list)});
}

}  // namespace

std::string TextOf(const TarRecords& records) {
  std::string text;
  for (const TarRecord& record : records) text += TextOf(record);
  return text;
}

TarRecords TimeRecords(const fs::Attributes& a) {
  return {{"mtime", PaxTimeText(a.mtime)},
          {"atime", PaxTimeText(a.atime)},
          {"ctime", PaxTimeText(a.ctime)}};
}

TarRecords XattrRecords(std::string_view name, std::string_view value) {
  TarRecords records = {{XattrKeyOf(name), std::string(value)}};
  AddList(name, value, records);
  return records;
}

void AddLarge(const TarHeader& header, TarRecords& records) {
  if (header.uid > kMaxOctal7) records.push_back({"uid", fmt::to_string(header.uid)});
  if (header.gid > kMaxOctal7) records.push_back({"gid", fmt::to_string(header.gid)});
  if (header.size > kMaxOctal11) records.push_back({"size", fmt::to_string(header.size)});
  if (header.type != '3' && header.type != '4') return;
  const uint64_t major_number = major(header.device);
  const uint64_t minor_number = minor(header.device);
  if (major_number > kMaxOctal7) {
    records.push_back({"SCHILY.devmajor", fmt::to_string(major_number)});
  }
  if (minor_number > kMaxOctal7) {
    records.push_back({"SCHILY.devminor", fmt::to_string(minor_number)});
  }
}

void AddNames(const TarHeader& header, TarRecords& records) {
  TarRecords names;
  // This declares names to be raw bytes, and must precede them.
  if (!IsUtf8(header.name) || !IsUtf8(header.link)) names.push_back({"hdrcharset", "BINARY"});
  const auto add = [&](const char* name, const std::string& value) {
    if (value.size() > kMaxTarNameBytes || !IsAscii(value)) names.push_back({name, value});
  };
  if (!HasHoles(records)) add("path", header.name);
  add("linkpath", header.link);
  records.insert(records.begin(), names.begin(), names.end());
}

bool HasHoles(const TarRecords& records) {
  return std::ranges::any_of(records,
                             [](const TarRecord& r) { return r.key == "GNU.sparse.name"; });
}

}  // namespace kvfs::cli
