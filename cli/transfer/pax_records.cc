// A table of keys, and checks of their values.

#include "cli/transfer/pax_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "cli/transfer/access_list_text.h"
#include "cli/transfer/pax_time.h"

namespace kvfs::cli {
namespace {

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

}  // namespace

bool ForPaxRecords(std::string_view body, const PaxVisitor& visit) {
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

void PaxRecords::Take(std::string_view key, std::string_view value) {
  if (IsXattr(key)) return TakeXattr(key, value);
  own_.insert_or_assign(std::string(key), std::string(value));
  if (IsAnyOf(key, {"path", "linkpath", "GNU.sparse.name"})) {
    if (HasNul(value)) out_.AddFlawOfEntry("its name, or its target, has a NUL");
  } else if (IsAnyOf(key, {"uid", "gid", "size", "SCHILY.devmajor", "SCHILY.devminor"})) {
    const bool is_negative = value.starts_with('-');  // invalid for an owner, and reported
    if (!value.empty() && !IsDecimal(value.substr(is_negative ? 1 : 0))) {
      out_.AddFlawOfEntry(fmt::format("its {} is not a number: {}", key, value));
    }
  } else if (!IsAnyOf(key, {"mtime", "atime", "ctime"}) && !key.starts_with("SCHILY.acl.") &&
             !IsOfNoAttribute(key)) {
    out_.AddFlawOfPart(std::string(key), "a store has no such attribute");
  }
}

void PaxRecords::TakeGlobal(std::string_view key, std::string_view value) {
  globals_.insert_or_assign(std::string(key), std::string(value));
}

bool PaxRecords::Overrides(std::string_view key) const {
  const auto own = own_.find(key);
  return own != own_.end() && !own->second.empty();
}

void PaxRecords::RefuseHeaderTime() {
  own_.insert_or_assign("mtime", "a field that is not a number");
}

void PaxRecords::Finish() {
  CheckLists();
  TakeGlobals();
}

// If the list is also present as an extended attribute, that takes precedence.
void PaxRecords::CheckLists() {
  for (const char* kind : {"access", "default"}) {
    const auto list = own_.find(std::string("SCHILY.acl.") + kind);
    if (list == own_.end() || xattrs_.contains(std::string("system.posix_acl_") + kind)) continue;
    // An empty value cancels that of a global header.
    if (list->second.empty()) continue;
    const auto flaw = FlawOfAccessListText(list->second);
    if (!flaw) continue;
    (list->first.ends_with("access") ? out_.has_false_access_list : out_.has_false_default_list) =
        true;
    out_.AddFlawOfPart("an access control list", *flaw);
  }
}

void PaxRecords::TakeXattr(std::string_view key, std::string_view value) {
  if (key.starts_with("SCHILY.xattr.")) xattrs_.emplace(key.substr(key.find(".xattr.") + 7));
  if (!key.starts_with("LIBARCHIVE.xattr.") || IsBase64(value)) return;
  const std::string_view name = key.substr(key.find(".xattr.") + 7);
  out_.false_xattrs.emplace_back(name);
  out_.AddFlawOfPart(fmt::format("the extended attribute {}", name), "it is not base64");
}

std::optional<fs::Timespec> PaxRecords::TimeOf(std::string_view key) {
  const auto own = own_.find(key);
  const auto global = globals_.find(key);
  const bool is_own = own != own_.end();
  if (!is_own && global == globals_.end()) return {};
  const std::string& text = is_own ? own->second : global->second;
  // An empty value cancels that of another header.
  if (text.empty()) return key == "mtime" ? header_mtime_ : out_.mtime;
  const auto exact = ParsePaxTime(text);
  if (exact) return exact;
  const auto cut = ParseCutPaxTime(text);
  if (cut) {
    out_.AddFlawOfPart(fmt::format("the last digits of {}", key),
                       fmt::format("a time has nine fractional digits: {}", text));
    return cut;
  }
  out_.AddFlawOfPart(std::string(key), fmt::format("a store cannot hold this time: {}", text));
  return fs::Timespec{};  // and not its leading digits
}

std::optional<uint32_t> PaxRecords::OwnerOf(std::string_view key) {
  const auto global = globals_.find(key);
  if (own_.contains(key) || global == globals_.end() || global->second.empty()) return {};
  uint32_t owner = UINT32_MAX;  // an invalid id, refused as an owner
  const std::string& text = global->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), owner);
  return error == std::errc() && end == text.data() + text.size() ? owner : UINT32_MAX;
}

void PaxRecords::TakeGlobals() {
  out_.mtime = TimeOf("mtime");
  out_.atime = TimeOf("atime");
  out_.ctime = TimeOf("ctime");
  out_.uid = OwnerOf("uid");
  out_.gid = OwnerOf("gid");
  for (const auto& [key, value] : globals_) {
    if (IsAnyOf(key, {"mtime", "atime", "ctime", "uid", "gid"}) || own_.contains(key)) continue;
    const bool is_told = IsOfNoAttribute(key) && key != "size" && !key.starts_with("GNU.sparse.");
    if (is_told || key == "hdrcharset") continue;
    out_.AddFlawOfPart(key,
                       "it is in a header for all later entries, which are imported without it");
  }
  // Report it only once.
  std::erase_if(globals_, [](const auto& record) {
    return !IsAnyOf(record.first, {"mtime", "atime", "ctime", "uid", "gid"});
  });
}

}  // namespace kvfs::cli
