// Checks each part of a change against the rules for new entries.
#include "fs/path_operation_rules.h"

#include <sys/stat.h>

#include "fs/new_entry.h"

namespace kvfs::fs {
namespace {

Attributes OfType(uint32_t type) {
  Attributes attributes;
  attributes.mode = type;
  return attributes;
}

}  // namespace

Result<void> CheckChange(const PathOperation& change) {
  const Attributes attributes = change.attributes.value_or(OfType(S_IFREG));
  KVFS_TRY(CheckAttributes(attributes));
  if (change.kind == PathOperation::Kind::kPut && attributes.IsSymbolicLink()) {
    KVFS_TRY(CheckSymlinkTarget(change.data));
  }
  if (!change.xattrs) return {};
  // Without attributes the entry's type is unknown here.
  const Attributes type = change.attributes ? attributes : OfType(S_IFDIR);
  for (const auto& [name, value] : *change.xattrs) {
    const auto valid = CheckXattrOf(type, name, value);
    if (!valid) {
      return Fail(valid.error().code,
                  "its extended attribute " + name + ": " + valid.error().message);
    }
  }
  return {};
}

void CopyChosen(const Attributes& from, Attributes& to) {
  to.mode = (to.mode & S_IFMT) | (from.mode & ~uint32_t{S_IFMT});
  to.uid = from.uid;
  to.gid = from.gid;
  to.atime = from.atime;
  to.mtime = from.mtime;
  to.ctime = from.ctime;
}

}  // namespace kvfs::fs
