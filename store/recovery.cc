// The steps of an opening, in their order.
#include "store/recovery.h"

#include "store/store_files.h"

namespace kvfs {

using format::Change;
using format::LogRecord;
using Kind = format::Change::Kind;

namespace {

class Recovery {
 public:
  Recovery(Env& env, const std::string& path, OpenOptions options) {
    parts_->env = &env;
    parts_->path = path;
    parts_->options = std::move(options);
  }

  Result<std::unique_ptr<EngineParts>> Run() {
    KVFS_TRY(OpenFiles());
    applier_.emplace(&parts_->shards, &*placement_);
    KVFS_ASSIGN(const uint64_t end, FindEnd());
    KVFS_TRY(ReplayUntil(end));
    KVFS_TRY(EraseTransient());
    KVFS_TRY(Begin(end));
    return std::move(parts_);
  }

 private:
  Result<void> OpenFiles() {
    Env& env = *parts_->env;
    KVFS_ASSIGN(parts_->superblock, OpenSuperblock(env, parts_->path));
    KVFS_ASSIGN(parts_->lock, env.LockFile(LockPath(parts_->path), parts_->options.purpose));
    KVFS_ASSIGN(parts_->identity, ReadIdentity(*parts_->superblock));
    KVFS_ASSIGN(checkpoint_, ReadCheckpoint(*parts_->superblock, parts_->identity));
    KVFS_TRY(RepairSlots());
    placement_.emplace(parts_->identity);
    for (uint32_t i = 0; i < parts_->identity.shards; ++i) KVFS_TRY(OpenShard(i));
    parts_->health = std::make_unique<Health>(parts_->options.log);
    return OpenLog();
  }

  // Makes both slots hold the checkpoint that is opened. Otherwise the other one might become the
  // newest by a later damage, when what it refers to is long used for something else.
  Result<void> RepairSlots() {
    const std::vector<std::byte> sound = checkpoint_.Encode(parts_->identity.store);
    for (uint64_t offset : format::kSlotOffset) {
      std::vector<std::byte> slot(sound.size());
      KVFS_TRY(parts_->superblock->Read(offset, slot));
      if (slot == sound) continue;
      Log("the superblock's slot at " + std::to_string(offset) +
          " is not that of the newest checkpoint; written anew");
      KVFS_TRY(parts_->superblock->Write(offset, sound));
      KVFS_TRY(parts_->superblock->Sync());
    }
    return {};
  }

  void Log(const std::string& line) const {
    if (parts_->options.log) parts_->options.log(line);
  }

  Result<void> OpenShard(uint32_t index) {
    KVFS_ASSIGN(ShardFiles files, OpenShardFiles(*parts_->env, parts_->path, index));
    ShardConfig config;
    config.index = index;
    config.shards = parts_->identity.shards;
    config.page_bytes = parts_->identity.page_bytes;
    config.checksum_seed = parts_->identity.ShardSeed(index);
    config.log = parts_->options.log;
    parts_->shards.push_back(std::make_unique<Shard>(
        std::move(files), config, checkpoint_.shards[index], checkpoint_.epoch + 1));
    return {};
  }

  Result<void> OpenLog() {
    auto sync_blocks = [shards = &parts_->shards]() -> Result<void> {
      for (const auto& shard : *shards) KVFS_TRY(shard->blocks().SyncWritten());
      return {};
    };
    parts_->log =
        std::make_unique<RedoLog>(parts_->env,
                                  RedoLogConfig{LogPath(parts_->path), parts_->identity.store,
                                                parts_->identity.log_segment_bytes},
                                  sync_blocks);
    KVFS_TRY(parts_->log->Open());
    const uint64_t first = checkpoint_.first_segment;
    if (first != format::kNoSegment && !parts_->log->Has(first)) {
      return Fail(ErrorCode::kCorrupt, "the log lacks segment " + std::to_string(first) +
                                           ", with which it continues the newest checkpoint");
    }
    return {};
  }

  // The first pass. Returns the sequence after the last record to replay.
  Result<uint64_t> FindEnd() {
    uint64_t end = checkpoint_.next_sequence;
    if (checkpoint_.first_segment == format::kNoSegment) return end;
    KVFS_TRY(parts_->log->Replay(checkpoint_.first_segment, end,
                                 [&](const LogRecord& record) -> Result<bool> {
                                   KVFS_ASSIGN(bool sound, MarkBlocks(record));
                                   if (sound) ++end;
                                   return sound;
                                 }));
    return end;
  }

  // False if a block that the record names is not there: it never was durable, nor the record.
  Result<bool> MarkBlocks(const LogRecord& record) {
    KVFS_ASSIGN(std::vector<Change> changes, format::DecodeChanges(record.payload));
    for (const Change& change : changes) {
      KVFS_TRY(applier_->Check(change));
      if (change.kind != Kind::kWriteBlocks) continue;
      Shard& home = *parts_->shards[placement_->HomeOf(change.id)];
      for (size_t i = 0; i < change.BlockCount(); ++i) {
        auto sound = home.blocks().Check(change.Block(i));
        if (sound) continue;
        if (sound.error().code != ErrorCode::kCorrupt) return tl::unexpected(sound.error());
        Log("the log ends before record " + std::to_string(record.sequence) +
            ", which names a block that is not on the disk: " + sound.error().message);
        return false;
      }
      for (size_t i = 0; i < change.BlockCount(); ++i) {
        KVFS_TRY(home.block_space().Mark(change.Block(i).number));
      }
    }
    return true;
  }

  // The second pass.
  Result<void> ReplayUntil(uint64_t end) {
    return parts_->log->Replay(checkpoint_.first_segment, checkpoint_.next_sequence,
                               [&](const LogRecord& record) -> Result<bool> {
                                 if (record.sequence >= end) return false;
                                 KVFS_TRY(ReplayRecord(record));
                                 ++parts_->replayed_records;
                                 return true;
                               });
  }

  Result<void> ReplayRecord(const LogRecord& record) {
    KVFS_ASSIGN(std::vector<Change> changes, format::DecodeChanges(record.payload));
    for (const Change& change : changes) KVFS_TRY(CarryOutIfSound(change));
    return {};
  }

  // Damage in one place is no reason not to open all the rest.
  Result<void> CarryOutIfSound(const Change& change) {
    auto done = CarryOut(change);
    if (done || done.error().code != ErrorCode::kCorrupt) return done;
    Log("a change of the log is left out, because of damage: " + done.error().message);
    return {};
  }

  Result<void> CarryOut(const Change& change) {
    KVFS_ASSIGN(Present entry, PresentAt(change.space, change.name));
    if (entry.id == 0) entry.id = change.id;
    if (change.kind == Kind::kPut) {
      parts_->shards[placement_->HomeOf(change.id)]->NoteId(change.id);
    }
    Present replaced;
    if (change.kind == Kind::kMove) {
      KVFS_ASSIGN(replaced, PresentAt(change.to_space, change.to_name));
    }
    NeedsByShard needs;
    applier_->AddNeeds(change, entry, replaced, &needs);
    for (const auto& [shard, need] : needs) {
      KVFS_TRY(parts_->shards[shard]->Reserve(need.pages, need.blocks, /*grows=*/false));
    }
    return applier_->Apply(change);
  }

  Result<Present> PresentAt(uint64_t space, std::string_view name) const {
    auto entry = applier_->Find(space, name);
    if (entry) return Present{entry->id, entry->size};
    if (entry.error().code == ErrorCode::kNotFound) return Present{};
    return tl::unexpected(std::move(entry).error());
  }

  Result<void> EraseTransient() {
    for (const auto& shard : parts_->shards) {
      auto erased = EraseTransientOf(*shard);
      if (erased) continue;
      if (erased.error().code != ErrorCode::kCorrupt) return erased;
      Log("unnamed files are left where they are, because of damage: " + erased.error().message);
    }
    return {};
  }

  Result<void> EraseTransientOf(const Shard& shard) {
    while (true) {
      KVFS_ASSIGN(std::vector<std::string> names, SomeTransient(shard));
      if (names.empty()) return {};
      for (const std::string& name : names) {
        Change erase;
        erase.kind = Kind::kErase;
        erase.space = kTransientSpace;
        erase.name = name;
        KVFS_TRY(CarryOut(erase));
      }
    }
  }

  static Result<std::vector<std::string>> SomeTransient(const Shard& shard) {
    constexpr size_t kAtOnce = 1000;
    std::vector<std::string> names;
    Cursor cursor = shard.NewCursor();
    KVFS_TRY(cursor.Seek({kTransientSpace, 0, {}}));
    while (cursor.Valid() && cursor.Key().space == kTransientSpace && names.size() < kAtOnce) {
      names.emplace_back(cursor.Key().name);
      KVFS_TRY(cursor.Next());
    }
    return names;
  }

  Result<void> Begin(uint64_t end) {
    parts_->log->Start(checkpoint_.first_segment, end);
    parts_->checkpointer = std::make_unique<Checkpointer>(
        CheckpointerConfig{parts_->identity, parts_->options.dirty_limit_bytes}, &parts_->shards,
        parts_->log.get(), parts_->superblock.get(), parts_->health.get(), checkpoint_.epoch);
    KVFS_TRY(parts_->checkpointer->Run(Checkpointer::Purpose::kContinue));
    parts_->checkpointer->StartThread();
    if (parts_->replayed_records > 0) {
      Log("recovered: the store was not closed; replayed " +
          std::to_string(parts_->replayed_records) + " log records");
    }
    return {};
  }

  std::unique_ptr<EngineParts> parts_ = std::make_unique<EngineParts>();
  format::Checkpoint checkpoint_;
  std::optional<Placement> placement_;
  std::optional<Applier> applier_;
};

}  // namespace

Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path,
                                             OpenOptions options) {
  return Recovery(env, path, std::move(options)).Run();
}

}  // namespace kvfs
