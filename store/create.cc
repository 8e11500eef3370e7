// Creates a store: all other files first, the superblock last and under a temporary name until it
// is complete, so that the creation is atomic. The remains of an interrupted creation are replaced
// by the next one.
#include <algorithm>
#include <random>

#include <kvfs/store.h>
#include "store/base/out_of_memory.h"
#include "store/engine/identity_file.h"
#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"

namespace kvfs {
namespace {

// The public header's bounds are those of the format.
static_assert(kMostShards == format::kMaxShards);
static_assert(kLeastPageBytes == format::kMinPageBytes && kMostPageBytes == format::kMaxPageBytes);
static_assert(kLeastSegmentBytes == format::kMinSegmentBytes);
static_assert(kMostSegmentBytes == format::kMaxSegmentBytes);
static_assert(kLeastSegments == format::kMinSegments);
static_assert(kMostLogLimitBytes == format::kMaxLogLimitBytes);

std::string NewSuperblockPath(const std::string& store) { return SuperblockPath(store) + ".new"; }

uint64_t Random64() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

format::Identity NewIdentity(const CreateOptions& options) {
  format::Identity identity;
  StoreLittle(identity.store.data(), Random64());
  StoreLittle(identity.store.data() + 8, Random64());
  identity.shards = options.shards;
  identity.page_bytes = options.page_bytes;
  identity.hash_bits = options.hash_bits;
  identity.hash_seed = options.hash_seed ? *options.hash_seed : Random64();
  identity.log_limit_bytes = options.log_limit_bytes;
  identity.log_segment_bytes = options.log_segment_bytes;
  return identity;
}

format::Checkpoint FirstCheckpoint(const format::Identity& identity) {
  format::Checkpoint checkpoint;
  checkpoint.epoch = 1;
  checkpoint.first_segment = 1;
  checkpoint.next_sequence = 1;
  checkpoint.last_segment = format::kNoSegment;
  const uint64_t first_id = (kFirstId + identity.shards - 1) / identity.shards * identity.shards;
  for (uint32_t i = 0; i < identity.shards; ++i) {
    format::ShardRoot shard;
    shard.next_id = first_id + i;
    checkpoint.shards.push_back(shard);
  }
  return checkpoint;
}

bool IsLeftover(const std::string& name) {
  return name == "log" || name == "superblock.new" || name == "lock" || name == "identity" ||
         (name.starts_with("shard-") && (name.ends_with(".keys") || name.ends_with(".values")));
}

Result<void> CheckDirectory(Env& env, const std::string& path) {
  KVFS_ASSIGN(std::vector<std::string> names, env.ListDirectory(path));
  if (std::ranges::find(names, "superblock") != names.end()) {
    return Fail(ErrorCode::kExists, "there is a kvfs store at " + path + " already");
  }
  KVFS_TRY(RequireNeverOpened(env, path));
  for (const std::string& name : names) {
    if (IsLeftover(name)) continue;
    return Fail(ErrorCode::kInvalid, path + " is not empty (it holds " + name +
                                         "); a store is created in an empty or a new directory");
  }
  return {};
}

Result<void> CreateDirectoryIfAbsent(Env& env, const std::string& path) {
  auto created = env.CreateDirectory(path);
  if (!created && created.error().code != ErrorCode::kExists) return created;
  return {};
}

Result<void> WriteSuperblock(Env& env, const std::string& path, const format::Identity& identity) {
  KVFS_ASSIGN(std::unique_ptr<File> file, CreateAnew(env, NewSuperblockPath(path)));
  const format::Checkpoint checkpoint = FirstCheckpoint(identity);
  const uint64_t slot_bytes = checkpoint.Encode(identity.store).size();
  for (const uint64_t slot : format::kSlotOffset) KVFS_TRY(file->Allocate(slot, slot_bytes));
  for (const uint64_t offset : format::kIdentityOffset) {
    KVFS_TRY(file->Allocate(offset, format::kSlotOffset[0]));
  }
  KVFS_TRY(WriteIdentity(*file, identity));
  KVFS_TRY(WriteCheckpoint(*file, identity, checkpoint));
  KVFS_TRY(env.SyncDirectory(path));
  KVFS_TRY(env.RenameFile(NewSuperblockPath(path), SuperblockPath(path)));
  return env.SyncDirectory(path);
}

// Allocates space for the text that names the holder: a disk that fills up later has none. An
// existing lock file may be held.
Result<void> CreateLock(Env& env, const std::string& path) {
  auto file = env.CreateFile(LockPath(path));
  if (!file && file.error().code == ErrorCode::kExists) return {};
  if (!file) return tl::unexpected(std::move(file).error());
  return (*file)->Allocate(0, kLockFileBytes);
}

Result<void> CreateFiles(Env& env, const std::string& path, const format::Identity& identity) {
  KVFS_TRY(CreateDirectoryIfAbsent(env, LogPath(path)));
  KVFS_TRY(CreateLock(env, path));
  for (uint32_t i = 0; i < identity.shards; ++i) {
    for (const char* what : {"keys", "values"}) {
      KVFS_ASSIGN(std::unique_ptr<File> file, CreateAnew(env, ShardPath(path, i, what)));
      KVFS_TRY(file->Sync());
    }
  }
  KVFS_TRY(IdentityFile::Create(env, IdentityPath(path), identity, FirstCheckpoint(identity)));
  return WriteSuperblock(env, path, identity);
}

// Best effort: the caller gets the error that led here.
void RemoveFiles(Env& env, const std::string& path, uint32_t shards) {
  static_cast<void>(env.RemoveDirectory(LogPath(path)));
  static_cast<void>(env.RemoveFile(LockPath(path)));
  static_cast<void>(env.RemoveFile(NewSuperblockPath(path)));
  static_cast<void>(env.RemoveFile(IdentityPath(path)));
  for (uint32_t i = 0; i < shards; ++i) {
    for (const char* what : {"keys", "values"}) {
      static_cast<void>(env.RemoveFile(ShardPath(path, i, what)));
    }
  }
}

Result<void> Make(Env& env, const std::string& path, const CreateOptions& options) {
  const format::Identity identity = NewIdentity(options);
  KVFS_TRY(identity.Check());
  KVFS_ASSIGN(const bool existed, env.Exists(path));
  KVFS_TRY(CreateDirectoryIfAbsent(env, path));
  KVFS_ASSIGN(const std::unique_ptr<Env> entered, env.Enter(path, /*is_new=*/!existed));
  Env& inside = entered ? *entered : env;
  KVFS_TRY(CheckDirectory(inside, path));
  auto created = WithinMemory([&] { return CreateFiles(inside, path, identity); });
  if (!created) {
    RemoveFiles(inside, path, identity.shards);
    if (!existed) static_cast<void>(env.RemoveDirectory(path));
    return created;
  }
  return env.SyncDirectory(ParentPath(path));
}

}  // namespace

Result<void> Store::Create(Env& env, const std::string& path, const CreateOptions& options) {
  return WithinMemory([&] { return Make(env, path, options); });
}

}  // namespace kvfs
