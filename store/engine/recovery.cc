// Takes the steps of an opening, in order.
#include "store/engine/recovery.h"

#include "store/engine/log_end.h"
#include "store/engine/log_replay.h"
#include "store/engine/opening.h"
#include "store/engine/store_files.h"
#include "store/engine/superblock_recovery.h"
#include "store/engine/tree_salvage.h"

namespace kvfs {
namespace {

class Recovery {
 public:
  Recovery(Env& env, const std::string& path, OpenOptions options, RecoveryMode mode) {
    opening_.access = options.read_only ? Access::kReadOnly : Access::kReadWrite;
    opening_.salvages = mode == RecoveryMode::kSalvage;
    parts().env = &env;
    parts().path = path;
    parts().options = std::move(options);
  }

  // Makes Run lock a read-only store exclusively, and name the holder in the lock file, if the disk
  // has room for that text.
  void TakeForItselfAlone() { is_alone_ = true; }

  Result<std::unique_ptr<EngineParts>> Run() {
    KVFS_TRY(OpenFiles());
    KVFS_TRY(Tolerate(OpenLog()));
    // Without a checkpoint it is unknown where the replay starts.
    if (opening_.has_checkpoint) KVFS_TRY(Replay());
    if (opening_.access == Access::kReadWrite) KVFS_TRY(Begin());
    return std::move(opening_.parts);
  }

 private:
  EngineParts& parts() const { return *opening_.parts; }

  Result<void> EnterDirectory() {
    auto entered = parts().env->Enter(parts().path);
    if (!entered && entered.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kNotFound, "there is no kvfs store at " + parts().path);
    }
    KVFS_ASSIGN(parts().entered, std::move(entered));
    if (parts().entered) parts().env = parts().entered.get();
    return {};
  }

  Result<void> OpenFiles() {
    KVFS_TRY(EnterDirectory());
    KVFS_TRY(superblock_.Open());
    KVFS_ASSIGN(parts().lock, TakeLock());
    KVFS_TRY(superblock_.Find());
    if (opening_.access == Access::kReadWrite) {
      KVFS_TRY(superblock_.Repair());
      parts().identity_file.Open(*parts().env, parts().path, parts().identity, opening_.checkpoint,
                                 parts().options.log);
    }
    parts().placement = std::make_unique<Placement>(parts().identity);
    for (uint32_t i = 0; i < parts().identity.shards; ++i) KVFS_TRY(OpenShard(i));
    parts().failure_latch = std::make_unique<FailureLatch>(parts().options.log);
    return {};
  }

  // When salvaging, records damage as a loss, and skips the step.
  Result<void> Tolerate(Result<void> done) {
    const bool is_loss = !done && Opening::IsDamage(done.error());
    if (!opening_.salvages || !is_loss) return done;
    parts().losses.push_back(done.error().message);
    opening_.closed = true;
    return {};
  }

  Result<std::unique_ptr<FileLock>> TakeLock() {
    const std::string path = LockPath(parts().path);
    if (opening_.access == Access::kReadOnly && !is_alone_) return parts().env->ShareLock(path);
    auto lock = parts().env->LockFile(path, parts().options.purpose);
    const bool is_full = !lock && lock.error().code == ErrorCode::kNoSpace;
    return is_full && is_alone_ ? parts().env->ShareLock(path) : std::move(lock);
  }

  Result<void> OpenShard(uint32_t index) {
    const ShardConfig config = opening_.ConfigOf(index);
    ShardFiles files;
    if (opening_.salvages) {
      KVFS_TRY(SalvageShard(config, &files));
    } else {
      KVFS_ASSIGN(files, OpenShardFiles(*parts().env, parts().path, index, opening_.access));
    }
    parts().shards.push_back(std::make_unique<Shard>(
        std::move(files), config, opening_.checkpoint.shards[index], opening_.checkpoint.epoch));
    return {};
  }

  // Opens the shard with new branches above its sound leaves; a file that cannot be opened counts
  // as empty.
  Result<void> SalvageShard(const ShardConfig& config, ShardFiles* files) {
    auto open = [&](const char* what) -> Result<std::unique_ptr<File>> {
      const std::string path = ShardPath(parts().path, config.index, what);
      auto opened = parts().env->OpenFile(path, opening_.access);
      if (opened || !Opening::IsDamage(opened.error())) return opened;
      parts().losses.push_back(opened.error().message);
      return std::make_unique<PatchedFile>(nullptr, path);
    };
    KVFS_ASSIGN(files->keys, open("keys"));
    KVFS_ASSIGN(files->values, open("values"));
    KVFS_ASSIGN(files->values_bytes, files->values->SizeBytes());
    KVFS_ASSIGN(files->keys_bytes, files->keys->SizeBytes());
    format::ShardRoot& root = opening_.checkpoint.shards[config.index];
    KVFS_ASSIGN(SalvagedShard shard,
                SalvageTree(files, config, opening_.has_checkpoint ? &root : nullptr));
    root = shard.root;
    std::ranges::move(shard.losses, std::back_inserter(parts().losses));
    std::ranges::move(shard.lost_entries, std::back_inserter(parts().lost_entries));
    return {};
  }

  Result<void> OpenLog() {
    auto sync_blocks = [shards = &parts().shards]() -> Result<void> {
      for (const auto& shard : *shards) KVFS_TRY(shard->blocks().SyncNamed());
      return {};
    };
    parts().log = std::make_unique<RedoLog>(
        parts().env,
        RedoLogConfig{LogPath(parts().path), parts().identity.store,
                      parts().identity.log_segment_bytes,
                      parts().identity.log_limit_bytes / parts().identity.log_segment_bytes},
        sync_blocks);
    if (!opening_.has_checkpoint) return {};
    KVFS_TRY(parts().log->Open(opening_.access));
    if (opening_.closed) return {};
    return log_end_.FindSegments();
  }

  Result<void> Replay() {
    uint64_t end = opening_.checkpoint.next_sequence;
    KVFS_TRY(Tolerate(log_end_.Find(&end)));
    KVFS_TRY(Tolerate(LogReplay(&opening_).Until(end)));
    return parts().log->Start(opening_.checkpoint.first_segment, end,
                              opening_.checkpoint.next_sequence - 1);
  }

  Result<void> Begin() {
    parts().reclaimer = std::make_unique<OrphanReclaimer>(
        &parts().shards, parts().placement.get(), &parts().snapshots, parts().commit_target());
    parts().checkpointer = std::make_unique<Checkpointer>(
        CheckpointerConfig{parts().identity, parts().options.dirty_limit_bytes,
                           parts().options.idle_ms},
        &parts().shards, parts().log.get(), &parts().account, &parts().space,
        parts().superblock.get(), &parts().identity_file, parts().failure_latch.get(),
        opening_.checkpoint, [reclaimer = parts().reclaimer.get()](const auto& has_room) {
          return reclaimer->Run(has_room);
        });
    KVFS_TRY(SyncNames());
    KVFS_TRY(BeginLog());
    return parts().checkpointer->StartThread();
  }

  // A killed process may not have synced the directories of files that it created: of a log file
  // that is a spare now, or, if there is only the first checkpoint, of the store itself.
  Result<void> SyncNames() {
    constexpr uint64_t kFirstEpoch = 1;
    if (opening_.closed && opening_.checkpoint.epoch > kFirstEpoch) return {};
    KVFS_TRY(parts().env->SyncDirectory(LogPath(parts().path)));
    if (opening_.checkpoint.epoch > kFirstEpoch) return {};
    KVFS_TRY(parts().env->SyncDirectory(parts().path));
    // The parent directory may belong to another user.
    auto synced = parts().env->SyncDirectory(ParentPath(parts().path));
    if (!synced && synced.error().code == ErrorCode::kPermission) return {};
    return synced;
  }

  // A full disk must not prevent reading.
  Result<void> BeginLog() {
    auto begun = parts().checkpointer->BeginLog();
    if (begun || begun.error().code != ErrorCode::kNoSpace) return begun;
    opening_.Log("the disk is full: the store can be read, and changed once there is room: " +
                 begun.error().message);
    return {};
  }

  Opening opening_;
  bool is_alone_ = false;
  SuperblockRecovery superblock_{&opening_};
  LogEnd log_end_{&opening_};
};

}  // namespace

Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path, OpenOptions options,
                                             RecoveryMode mode) {
  auto opened = Recovery(env, path, options, mode).Run();
  const bool is_full = !opened && opened.error().code == ErrorCode::kNoSpace;
  if (!is_full || options.read_only) return opened;
  // The disk has no room even for the replay, so its writes are kept in memory, and the disk is
  // unchanged.
  const std::string no_room =
      "the disk is full, and the store is opened for reading only; open it "
      "again when there is room: " +
      opened.error().message;
  options.read_only = true;
  if (options.log) options.log(no_room);
  Recovery reading(env, path, std::move(options), mode);
  reading.TakeForItselfAlone();
  auto read = reading.Run();
  if (read) (*read)->no_room = no_room;
  return read;
}

}  // namespace kvfs
