// Names and locks on a MemoryDisk. The text of a lock file is durable at once, since it is only for
// observers.

#include <unistd.h>

#include "store/env/memory_disk.h"

namespace kvfs {

bool MemoryDisk::IsDirectoryLocked(const std::string& path) const {
  const auto entry = names_.find(path);
  return path.empty() || (entry != names_.end() && !entry->second.node);
}

Result<MemoryDisk::Node> MemoryDisk::FindFileLocked(const OperationRecord& record) const {
  const auto entry = names_.find(record.path);
  if (entry == names_.end()) return Refuse(ErrorCode::kNotFound, record, "no such file");
  if (!entry->second.node) return Refuse(ErrorCode::kInvalid, record, "is a directory");
  return entry->second.node;
}

Result<void> MemoryDisk::RequireFreeNameLocked(const OperationRecord& record) const {
  if (IsDirectoryLocked(record.path) || names_.contains(record.path)) {
    return Refuse(ErrorCode::kExists, record, "exists");
  }
  if (!IsDirectoryLocked(ParentOf(record.path))) {
    return Refuse(ErrorCode::kNotFound, record, "no such directory");
  }
  return {};
}

Result<void> MemoryDisk::ChangeNameLocked(OperationRecord record, Node node) {
  if (auto refusal = BeginLocked(record)) return tl::unexpected<Error>(refusal->error);
  DoLocked(std::move(record), std::move(node));
  return {};
}

Result<MemoryDisk::Node> MemoryDisk::Open(const std::string& path) {
  const Guard guard(*mutex_);
  return FindFileLocked({.kind = OperationKind::kRead, .path = path});
}

Result<MemoryDisk::Node> MemoryDisk::Create(const std::string& path) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kCreateFile, .path = path};
  KVFS_TRY(RequireFreeNameLocked(record));
  auto node = std::make_shared<MemoryNode>();
  KVFS_TRY(ChangeNameLocked(record, node));
  return node;
}

Result<void> MemoryDisk::Remove(const std::string& path) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kRemoveFile, .path = path};
  KVFS_ASSIGN(Node node, FindFileLocked(record));
  return ChangeNameLocked(record, std::move(node));
}

Result<void> MemoryDisk::Rename(const std::string& from, const std::string& to) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kRenameFile, .path = from, .to = to};
  KVFS_ASSIGN(Node node, FindFileLocked(record));
  if (ParentOf(from) != ParentOf(to)) {
    return Refuse(ErrorCode::kInvalid, record, "not in the same directory");
  }
  if (IsDirectoryLocked(to)) return Refuse(ErrorCode::kIo, record, "is a directory");
  return ChangeNameLocked(record, std::move(node));
}

Result<void> MemoryDisk::CreateDirectory(const std::string& path) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kCreateDirectory, .path = path};
  KVFS_TRY(RequireFreeNameLocked(record));
  return ChangeNameLocked(record, nullptr);
}

Result<void> MemoryDisk::RemoveDirectory(const std::string& path) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kRemoveDirectory, .path = path};
  if (!IsDirectoryLocked(path)) {
    return Refuse(ErrorCode::kNotFound, record, "no such directory");
  }
  const auto next = names_.upper_bound(path + "/");
  if (next != names_.end() && next->first.starts_with(path + "/")) {
    return Refuse(ErrorCode::kExists, record, "not empty");
  }
  return ChangeNameLocked(record, nullptr);
}

Result<void> MemoryDisk::SyncDirectory(const std::string& path) {
  const Guard guard(*mutex_);
  const OperationRecord record{.kind = OperationKind::kSyncDirectory, .path = path};
  if (!IsDirectoryLocked(path)) {
    return Refuse(ErrorCode::kNotFound, record, "no such directory");
  }
  const Selection is_in_directory = [&](const UnsyncedOperation& operation) {
    return ChangesNames(operation.record.kind) && ParentOf(operation.record.path) == path;
  };
  if (auto refusal = BeginLocked(record)) {
    if (!has_failed_) GiveUpLocked(is_in_directory);
    return tl::unexpected<Error>(refusal->error);
  }
  SettleLocked(is_in_directory);
  return {};
}

Result<std::vector<std::string>> MemoryDisk::List(const std::string& path) {
  const Guard guard(*mutex_);
  if (!IsDirectoryLocked(path)) {
    return Fail(ErrorCode::kNotFound, "list directory " + path + ": no such directory");
  }
  const size_t name_begin = path.empty() ? 0 : path.size() + 1;
  std::vector<std::string> list;
  for (const auto& [name, entry] : names_) {
    if (ParentOf(name) == path) list.push_back(name.substr(name_begin));
  }
  return list;
}

bool MemoryDisk::Exists(const std::string& path) {
  const Guard guard(*mutex_);
  return path.empty() || names_.contains(path);
}

Result<MemoryDisk::Node> MemoryDisk::Lock(const std::string& path, const std::string& holder) {
  auto created = Create(path);
  if (!created && created.error().code != ErrorCode::kExists) return created;
  const Guard guard(*mutex_);
  KVFS_ASSIGN(Node node, FindFileLocked({.kind = OperationKind::kRead, .path = path}));
  if (lock_sharers_[path] > 0) return tl::unexpected(InUse(path, ""));
  const auto [place, is_free] = lock_holders_.try_emplace(path, holder);
  if (!is_free) return tl::unexpected(InUse(path, place->second));
  return node;
}

Error MemoryDisk::InUse(const std::string& path, const std::string& holder) const {
  return {ErrorCode::kInUse, path + " is in use by process " + std::to_string(::getpid()) +
                                 (holder.empty() ? "" : " (" + holder + ")")};
}

Result<void> MemoryDisk::Share(const std::string& path) {
  const Guard guard(*mutex_);
  const auto holder = lock_holders_.find(path);
  if (holder != lock_holders_.end()) return tl::unexpected(InUse(path, holder->second));
  ++lock_sharers_[path];
  return {};
}

void MemoryDisk::EndSharing(const std::string& path) {
  const Guard guard(*mutex_);
  --lock_sharers_[path];
}

void MemoryDisk::DescribeLock(const Node& node, const std::string& holder) {
  const Guard guard(*mutex_);
  const std::string text = "pid " + std::to_string(::getpid()) + "\n" + holder + "\n";
  for (MemoryContent* content : {&node->written, &node->synced}) {
    content->Clear();
    content->Write(0, AsBytes(text));
  }
  for (auto& [path, present] : lock_holders_) {
    const auto entry = names_.find(path);
    if (entry != names_.end() && entry->second.node == node) present = holder;
  }
}

void MemoryDisk::Unlock(const std::string& path, const Node& node) {
  const Guard guard(*mutex_);
  lock_holders_.erase(path);
  if (has_failed_) return;  // after a power failure nothing is cleaned up
  node->written.Clear();
  node->synced.Clear();
}

}  // namespace kvfs
