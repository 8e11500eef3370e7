// Names, times, owners and extended attributes, freed of what libarchive gets wrong.

#include "cli/transfer/tar_attributes.h"

#include <archive.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "cli/transfer/tar_access_lists.h"

namespace kvfs::cli {
namespace {

fs::Timespec TimeOf(int64_t seconds, long nanoseconds) {
  return {seconds, static_cast<uint32_t>(nanoseconds)};
}

// The owner's id; one that does not fit becomes an invalid id, which CheckAttributes refuses.
uint32_t OwnerOf(int64_t number) {
  return number < 0 || number > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(number);
}

// Decodes names of extended attributes: GNU tar encodes '=' and '%', as a name ends at the first
// '='; libarchive encodes everything but plain ASCII.
std::string XattrNameOf(std::string_view coded) {
  std::string name;
  while (!coded.empty()) {
    unsigned byte = 0;
    const bool has_digits = coded.size() >= 3 && coded[0] == '%';
    const auto parsed = has_digits
                            ? std::from_chars(coded.data() + 1, coded.data() + 3, byte, 16)
                            : std::from_chars_result{coded.data(), std::errc::invalid_argument};
    const bool is_coded = parsed.ec == std::errc() && parsed.ptr == coded.data() + 3;
    name += is_coded ? static_cast<char>(byte) : coded[0];
    coded.remove_prefix(is_coded ? 3 : 1);
  }
  return name;
}

}  // namespace

// libarchive (3.6) loses the sign of "-0.25", and adds the fraction of any time before 1970 instead
// of subtracting it: so times are taken from the headers if they have them.
fs::Attributes TarAttributesOf(archive_entry* entry, const TarHeaders& headers) {
  fs::Attributes a;
  // Permissions are taken from the header, not from libarchive's interpretation of a list that is
  // left out.
  const auto mode = static_cast<uint32_t>(archive_entry_mode(entry));
  a.mode = (mode & S_IFMT) | (headers.permissions.value_or(mode) & 07777);
  a.uid = headers.uid.value_or(OwnerOf(archive_entry_uid(entry)));
  a.gid = headers.gid.value_or(OwnerOf(archive_entry_gid(entry)));
  if (S_ISCHR(a.mode) || S_ISBLK(a.mode)) a.device = archive_entry_rdev(entry);
  a.mtime =
      headers.mtime.value_or(TimeOf(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)));
  a.atime = a.ctime = a.mtime;
  if (archive_entry_atime_is_set(entry)) {
    a.atime = TimeOf(archive_entry_atime(entry), archive_entry_atime_nsec(entry));
  }
  if (archive_entry_ctime_is_set(entry)) {
    a.ctime = TimeOf(archive_entry_ctime(entry), archive_entry_ctime_nsec(entry));
  }
  a.atime = headers.atime.value_or(a.atime);
  a.ctime = headers.ctime.value_or(a.ctime);
  return a;
}

fs::XattrMap TarXattrsOf(archive_entry* entry, const TarHeaders& headers, const std::string& path,
                         EntrySink& sink) {
  fs::XattrMap xattrs;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t length = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &length) == ARCHIVE_OK) {
    xattrs.insert_or_assign(XattrNameOf(name),
                            std::string(static_cast<const char*>(value), length));
  }
  for (const std::string& bad : headers.false_xattrs) xattrs.erase(XattrNameOf(bad));
  AddAccessLists(entry, headers, path, xattrs, sink);
  return xattrs;
}

std::string TarKeyPathOf(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const std::string_view component = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(component.size() + 1, name.size()));
    if (component.empty() || component == ".") continue;
    // In place: for a name with thousands of levels, each step would copy everything before it.
    if (!path.empty()) path += '/';
    path += component;
  }
  return path;
}

}  // namespace kvfs::cli
