// Tags, and names of users and groups, in the terms of this system.

#include "cli/transfer/tar_access_lists.h"

#include <archive.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/access_list.h"

namespace kvfs::cli {
namespace {

struct ListKind {
  int type;
  std::string_view xattr;
};

constexpr ListKind kListKinds[] = {
    {ARCHIVE_ENTRY_ACL_TYPE_ACCESS, fs::kAccessListXattr},
    {ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, fs::kDefaultListXattr},
};

struct TagName {
  int archive;
  fs::AccessList::Tag tag;
};

constexpr TagName kTags[] = {
    {ARCHIVE_ENTRY_ACL_USER_OBJ, fs::AccessList::kOwner},
    {ARCHIVE_ENTRY_ACL_USER, fs::AccessList::kUser},
    {ARCHIVE_ENTRY_ACL_GROUP_OBJ, fs::AccessList::kOwningGroup},
    {ARCHIVE_ENTRY_ACL_GROUP, fs::AccessList::kGroup},
    {ARCHIVE_ENTRY_ACL_MASK, fs::AccessList::kMask},
    {ARCHIVE_ENTRY_ACL_OTHER, fs::AccessList::kOthers},
};

// The id of a user or group in the text: its number, or the id of its name on this system.
std::optional<uint32_t> IdOf(int tag, int number, const char* name) {
  if (number >= 0) return static_cast<uint32_t>(number);
  if (name == nullptr) return {};
  if (tag == ARCHIVE_ENTRY_ACL_USER) {
    const passwd* const user = ::getpwnam(name);
    return user == nullptr ? std::nullopt : std::optional<uint32_t>(user->pw_uid);
  }
  const group* const members = ::getgrnam(name);
  return members == nullptr ? std::nullopt : std::optional<uint32_t>(members->gr_gid);
}

Result<fs::AccessList> ListOf(archive_entry* entry, int type) {
  std::vector<fs::AccessList::Entry> entries;
  archive_entry_acl_reset(entry, type);
  int found = 0, permissions = 0, tag = 0, number = -1;
  const char* name = nullptr;
  while (archive_entry_acl_next(entry, type, &found, &permissions, &tag, &number, &name) ==
         ARCHIVE_OK) {
    const auto* const known =
        std::ranges::find_if(kTags, [&](const TagName& row) { return row.archive == tag; });
    if (known == std::end(kTags)) return Fail(ErrorCode::kInvalid, "it has NFSv4 entries");
    fs::AccessList::Entry item;
    item.tag = known->tag;
    item.permissions = static_cast<uint16_t>(permissions & 7);
    if (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) {
      const auto id = IdOf(tag, number, name);
      if (!id) {
        return Fail(ErrorCode::kInvalid, fmt::format("there is no user or group {} here",
                                                     name == nullptr ? "of this name" : name));
      }
      item.id = *id;
    }
    entries.push_back(item);
  }
  return fs::AccessList::FromEntries(std::move(entries));
}

}  // namespace

void AddAccessLists(archive_entry* entry, const TarHeaders& headers, const std::string& path,
                    fs::XattrMap& xattrs, EntrySink& sink) {
  const int types = archive_entry_acl_types(entry);
  for (const ListKind& kind : kListKinds) {
    if ((types & kind.type) == 0 || xattrs.contains(kind.xattr)) continue;
    const bool is_access = kind.type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
    if (is_access ? headers.has_false_access_list : headers.has_false_default_list) continue;
    const auto list = ListOf(entry, kind.type);
    if (list) {
      xattrs.emplace(kind.xattr, list->Encode());
    } else {
      sink.LeaveOutPart(fmt::format("an access control list of {}", path), list.error().message);
    }
  }
  if ((types & ~(ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)) != 0) {
    sink.LeaveOutPart(fmt::format("the access control list of {}", path),
                      "it is an NFSv4 list, and a store supports POSIX lists");
  }
}

}  // namespace kvfs::cli
