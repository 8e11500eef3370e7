// Each copy is written and synced before the other.
#include "store/engine/superblock_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "store/engine/store_files.h"

namespace kvfs {

Result<std::unique_ptr<File>> OpenSuperblock(Env& env, const std::string& store, Access access) {
  auto file = env.OpenFile(SuperblockPath(store), access);
  if (!file && file.error().code == ErrorCode::kNotFound) {
    KVFS_TRY(RequireNeverOpened(env, store));
    return Fail(ErrorCode::kNotFound, "there is no kvfs store at " + store);
  }
  return file;
}

Result<format::Identity> ReadIdentity(const File& superblock) {
  KVFS_ASSIGN(const uint64_t size, superblock.SizeBytes());
  auto read = [&](uint64_t offset) -> Result<format::Identity> {
    const uint64_t available = size - std::min(size, offset);
    std::vector<std::byte> bytes(std::min<uint64_t>(available, format::kIdentityBytes));
    KVFS_TRY(superblock.Read(offset, bytes));
    return format::Identity::Decode(bytes);
  };
  auto first = read(format::kIdentityOffset[0]);
  if (first) return first;
  auto second = read(format::kIdentityOffset[1]);
  return second ? second : first;
}

Result<void> WriteIdentity(File& superblock, const format::Identity& identity) {
  for (const uint64_t offset : format::kIdentityOffset) {
    KVFS_TRY(superblock.Write(offset, identity.Encode()));
  }
  return superblock.Sync();
}

Result<void> WriteCheckpoint(File& superblock, const format::Identity& identity,
                             const format::Checkpoint& checkpoint) {
  const std::vector<std::byte> slot = checkpoint.Encode(identity.store);
  for (uint64_t offset : format::kSlotOffset) {
    KVFS_TRY(superblock.Write(offset, slot));
    KVFS_TRY(superblock.Sync());
  }
  return {};
}

Result<format::Checkpoint> ReadCheckpoint(const File& superblock,
                                          const format::Identity& identity) {
  KVFS_ASSIGN(uint64_t size, superblock.SizeBytes());
  if (size < format::kSuperblockBytes) {
    return Fail(ErrorCode::kCorrupt, "the superblock file is cut off");
  }
  std::optional<format::Checkpoint> newest;
  std::string unreadable;
  for (uint64_t offset : format::kSlotOffset) {
    std::vector<std::byte> bytes(format::kSlotOffset[1] - format::kSlotOffset[0]);
    if (auto read = superblock.Read(offset, bytes); !read) {
      // An unreadable slot is tolerated: there are two.
      if (read.error().code != ErrorCode::kIo) return tl::unexpected(std::move(read).error());
      unreadable = ": " + read.error().message;
      continue;
    }
    auto checkpoint = format::Checkpoint::Decode(bytes, identity.store, identity.shards);
    auto age = [](const format::Checkpoint& it) { return std::pair(it.epoch, it.last_segment); };
    if (checkpoint && (!newest || age(*checkpoint) > age(*newest))) {
      newest = *std::move(checkpoint);
    }
  }
  if (!newest) {
    return Fail(ErrorCode::kCorrupt,
                "neither of the superblock's two checkpoints is sound" + unreadable);
  }
  return *std::move(newest);
}

}  // namespace kvfs
