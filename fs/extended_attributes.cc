// Reads and changes extended attributes. A change reads all of an inode's, edits them in memory,
// and writes them and the inode's attributes in one batch, which fails after a concurrent change:
// then it is tried again.
#include <utility>

#include "fs/access_list.h"
#include "fs/content_checksum.h"
#include "fs/store_file_system.h"

namespace kvfs::fs {
namespace {

// More than the possible number of threads that change one inode concurrently.
constexpr int kAttempts = 1000;

bool IsVirtual(std::string_view name) { return name == kVersionXattr || name == kChecksumXattr; }

bool IsRace(ErrorCode code) {
  return code == ErrorCode::kConflict || code == ErrorCode::kExists || code == ErrorCode::kNotFound;
}

Result<void> CheckPresence(bool is_present, XattrMode mode) {
  if (mode == XattrMode::kCreate && is_present) return Fail(ErrorCode::kExists);
  if (mode == XattrMode::kReplace && !is_present) return Fail(ErrorCode::kNotFound);
  return {};
}

}  // namespace

Location StoreFileSystem::XattrsOf(const Location& at, InodeNumber inode) {
  if (at.directory == kTransientDirectory)
    return {kTransientDirectory, UnnamedXattrName(inode), false};
  return {kXattrDirectory, std::to_string(inode), false};
}

std::string StoreFileSystem::UnnamedXattrName(InodeNumber inode) {
  return "xattrs " + std::to_string(inode);
}

// Verifies the flag in the attributes, which may be damaged: a wrong flag must not make a file
// unremovable. If the lookup itself fails, they count as present: otherwise they could be left
// behind, and the caller's next step reports the error.
bool StoreFileSystem::HasStoredXattrs(const InodeInfo& inode, Key key) const {
  if (!inode.attributes.has_xattrs) return false;
  const auto found = store_.Stat(key);
  return found ||
         (found.error().code != ErrorCode::kNotFound && found.error().code != ErrorCode::kCorrupt);
}

Result<StoreFileSystem::StoredXattrs> StoreFileSystem::LoadXattrs(const Location& at,
                                                                  const InodeInfo& inode) const {
  if (!inode.attributes.has_xattrs) return StoredXattrs();
  const Location xattrs_at = XattrsOf(at, inode.number);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = store_.Stat(xattrs_at.key());
    if (!before && before.error().code == ErrorCode::kNotFound) return StoredXattrs();
    if (!before) return tl::unexpected(before.error());
    if (before->size_bytes > kMaxXattrBytes) {
      return Fail(ErrorCode::kCorrupt, "the extended attributes of a file are too large");
    }
    std::string content(before->size_bytes, '\0');
    KVFS_ASSIGN(const size_t length,
                store_.Read(xattrs_at.key(), 0, std::as_writable_bytes(std::span(content))));
    content.resize(length);
    const auto after = store_.Stat(xattrs_at.key());
    if (!after || after->version != before->version) continue;
    KVFS_ASSIGN(XattrMap xattrs, DecodeXattrs(content));
    return StoredXattrs{std::move(xattrs), before->version};
  }
  return Fail(ErrorCode::kConflict);
}

void StoreFileSystem::AddXattrs(AttributeBatch& change, const Location& at, InodeNumber inode,
                                const StoredXattrs& before, const XattrMap& after) const {
  const Location xattrs_at = XattrsOf(at, inode);
  const Key key = {xattrs_at.directory, change.Keep(xattrs_at.name)};
  change.batch().Expect(key, before.version);
  if (!after.empty()) {
    change.batch().Put(key, AsBytes(change.Keep(EncodeXattrs(after))));
  } else if (before.version != Batch::kAbsent) {
    change.batch().Erase(key);
  }
}

// Reads the whole content without the lock; a file that moves meanwhile is looked up again.
Result<std::string> StoreFileSystem::GetChecksum(InodeNumber inode) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SharedLock lock(namespace_lock_);
    KVFS_ASSIGN(const Location at, Locate(inode));
    KVFS_ASSIGN(const EntryInfo entry, store_.Stat(at.key()));
    lock.unlock();
    auto checksum = ChecksumContent(store_, at.key(), entry.id);
    if (checksum || checksum.error().code != ErrorCode::kNotFound) return checksum;
  }
  return Fail(ErrorCode::kConflict);
}

Result<std::string> StoreFileSystem::GetXattr(InodeNumber inode, std::string_view name) {
  if (name == kChecksumXattr) return GetChecksum(inode);
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  if (name == kVersionXattr) {
    KVFS_ASSIGN(const EntryInfo entry, store_.Stat(at.key()));
    return std::to_string(entry.version);
  }
  KVFS_TRY(CheckXattrName(name));
  KVFS_ASSIGN(const InodeInfo info, Load(at.key()));
  KVFS_ASSIGN(const StoredXattrs stored, LoadXattrs(at, info));
  const auto found = stored.xattrs.find(name);
  if (found == stored.xattrs.end()) return Fail(ErrorCode::kNotFound);
  return found->second;
}

Result<std::vector<std::string>> StoreFileSystem::ListXattrs(InodeNumber inode) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  KVFS_ASSIGN(const InodeInfo info, Load(at.key()));
  KVFS_ASSIGN(const StoredXattrs stored, LoadXattrs(at, info));
  std::vector<std::string> names;
  for (const auto& [name, value] : stored.xattrs) names.push_back(name);
  return names;
}

Result<void> StoreFileSystem::SetXattr(InodeNumber inode, std::string_view name,
                                       std::string_view value, XattrMode mode,
                                       const Caller& caller) {
  if (IsVirtual(name)) return Fail(ErrorCode::kPermission);
  KVFS_TRY(CheckXattrName(name));
  if (value.size() > kMaxXattrValueBytes) return Fail(ErrorCode::kTooLarge);
  return ChangeXattrs(inode, [&](InodeInfo& info, XattrMap& xattrs) -> Result<void> {
    KVFS_TRY(CheckPresence(xattrs.contains(name), mode));
    xattrs.insert_or_assign(std::string(name), value);
    if (name == kAccessListXattr) return TakeAccessList(info, xattrs, caller);
    if (name == kDefaultListXattr) return CheckDefaultList(info, value);
    return CheckXattrs(xattrs);
  });
}

Result<void> StoreFileSystem::RemoveXattr(InodeNumber inode, std::string_view name) {
  if (IsVirtual(name)) return Fail(ErrorCode::kPermission);
  KVFS_TRY(CheckXattrName(name));
  return ChangeXattrs(inode, [&](InodeInfo&, XattrMap& xattrs) -> Result<void> {
    const auto found = xattrs.find(name);
    if (found == xattrs.end()) return Fail(ErrorCode::kNotFound);
    xattrs.erase(found);
    return {};
  });
}

Result<void> StoreFileSystem::ChangeXattrs(InodeNumber inode, const XattrEdit& edit) {
  SharedLock lock(namespace_lock_);
  KVFS_ASSIGN(const Location at, Locate(inode));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    KVFS_ASSIGN(const InodeInfo before, Load(at.key()));
    KVFS_ASSIGN(const StoredXattrs stored, LoadXattrs(at, before));
    InodeInfo after = before;
    XattrMap xattrs = stored.xattrs;
    KVFS_TRY(edit(after, xattrs));
    AttributeBatch change(default_attributes_);
    AddXattrs(change, at, inode, stored, xattrs);
    change.batch().EditMeta(at.key(), change.Edit([&, now = Now()](Attributes& a) {
      a.has_xattrs = !xattrs.empty();
      if (after.attributes.mode != before.attributes.mode) a.mode = after.attributes.mode;
      a.ctime = now;
    }));
    const auto applied = change.Apply(store_);
    if (applied || !IsRace(applied.error().code)) return applied;
  }
  return Fail(ErrorCode::kConflict);
}

Result<bool> StoreFileSystem::HasXattrs() const {
  bool has_some = false;
  KVFS_TRY(store_.List(kXattrDirectory, kFirstPosition, [&](const ListedEntry&) {
    has_some = true;
    return false;
  }));
  return has_some;
}

}  // namespace kvfs::fs
