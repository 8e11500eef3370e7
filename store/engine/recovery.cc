// The steps of an opening, in their order.
#include "store/engine/recovery.h"

#include <algorithm>
#include <set>

#include "store/base/describe.h"
#include "store/engine/identity_file.h"
#include "store/engine/salvage.h"
#include "store/engine/store_files.h"
#include "store/txn/change_applier.h"

namespace kvfs {

using format::Change;
using format::LogRecord;
using Kind = format::Change::Kind;

namespace {

class Recovery {
 public:
  Recovery(Env& env, const std::string& path, OpenOptions options, RecoveryMode mode)
      : access_(options.read_only ? Access::kReadOnly : Access::kReadWrite),
        salvages_(mode == RecoveryMode::kSalvage) {
    parts_->env = &env;
    parts_->path = path;
    parts_->options = std::move(options);
  }

  // Makes the lock of a read-only store exclusive, and names the holder, if the disk has room for
  // that text.
  void TakeForItselfAlone() { is_alone_ = true; }

  Result<std::unique_ptr<EngineParts>> Run() {
    KVFS_TRY(OpenFiles());
    KVFS_TRY(Tolerate(OpenLog()));
    // Without a checkpoint the start of the replay is unknown.
    if (has_checkpoint_) KVFS_TRY(Replay());
    if (access_ == Access::kReadWrite) KVFS_TRY(Begin());
    return std::move(parts_);
  }

 private:
  Result<void> EnterDirectory() {
    auto entered = parts_->env->Enter(parts_->path);
    if (!entered && entered.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kNotFound, "there is no kvfs store at " + parts_->path);
    }
    KVFS_ASSIGN(parts_->entered, std::move(entered));
    if (parts_->entered) parts_->env = parts_->entered.get();
    return {};
  }

  Result<void> OpenFiles() {
    KVFS_TRY(EnterDirectory());
    auto superblock = salvages_ ? parts_->env->OpenFile(SuperblockPath(parts_->path), access_)
                                : OpenSuperblock(*parts_->env, parts_->path, access_);
    const bool is_lost = !superblock && IsDamage(superblock.error());
    if (!superblock && !(salvages_ && is_lost)) return tl::unexpected(superblock.error());
    KVFS_ASSIGN(parts_->lock, TakeLock());
    KVFS_TRY(FindIdentity(std::move(superblock)));
    KVFS_TRY(FindCheckpoint());
    closed_ = checkpoint_.last_segment == format::kNoSegment;
    if (access_ == Access::kReadWrite) {
      KVFS_TRY(RepairSuperblock());
      parts_->identity_file.Open(*parts_->env, parts_->path, parts_->identity, checkpoint_,
                                 parts_->options.log);
    }
    parts_->placement = std::make_unique<Placement>(parts_->identity);
    for (uint32_t i = 0; i < parts_->identity.shards; ++i) KVFS_TRY(OpenShard(i));
    parts_->failure_latch = std::make_unique<FailureLatch>(parts_->options.log);
    return {};
  }

  // When salvaging, an error is recorded as a loss, and the step is skipped.
  Result<void> Tolerate(Result<void> done) {
    const bool is_loss = !done && IsDamage(done.error());
    if (!salvages_ || !is_loss) return done;
    parts_->losses.push_back(done.error().message);
    closed_ = true;
    return {};
  }

  // Salvaging tolerates damage only, not failures of this process.
  static bool IsDamage(const Error& error) {
    return error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kIo ||
           error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalid;
  }

  // The identity in the superblock; when salvaging, the copy is good enough.
  Result<void> FindIdentity(Result<std::unique_ptr<File>> superblock) {
    Result<format::Identity> found =
        superblock.and_then([](const std::unique_ptr<File>& file) { return ReadIdentity(*file); });
    if (superblock) parts_->superblock = *std::move(superblock);
    if (salvages_ && (found || IsDamage(found.error()))) {
      auto read = ReadCopy();
      // If the copy is needed, a failure other than damage is an error.
      if (!found && !read) return read;
    }
    if (!found && copy_) found = copy_->identity;
    if (found) {
      parts_->identity = *std::move(found);
      return {};
    }
    if (!IsDamage(found.error())) return tl::unexpected(std::move(found).error());
    return salvages_ ? RefuseUnknown(found.error()) : RefuseDamaged(found.error());
  }

  Result<void> ReadCopy() {
    auto copy = ReadIdentityCopy(*parts_->env, parts_->path);
    if (copy) {
      copy_ = *std::move(copy);
      return {};
    }
    why_no_copy_ = copy.error().message;
    return IsDamage(copy.error()) ? Result<void>() : tl::unexpected(std::move(copy).error());
  }

  // Without the identity no page's checksum can be verified.
  Result<void> RefuseUnknown(const Error& error) const {
    if (error.code == ErrorCode::kNotFound && RequireNeverOpened(*parts_->env, parts_->path)) {
      return Fail(ErrorCode::kNotFound, "there is no kvfs store at " + parts_->path);
    }
    return Fail(ErrorCode::kCorrupt,
                "nothing tells what the store at " + parts_->path +
                    " is: its superblock is lost (" + error.message +
                    "), and so is the copy of its identity (" + why_no_copy_ +
                    "); put the file `identity` or `superblock` of a backup, or of another copy of "
                    "this store, in its place, and repair the store then");
  }

  Result<void> RefuseDamaged(const Error& error) const {
    if (error.code != ErrorCode::kCorrupt) return tl::unexpected(error);
    return Fail(error.code, error.message + "; " + RepairRemedy(parts_->path));
  }

  Result<void> FindCheckpoint() {
    auto found = parts_->superblock ? ReadCheckpoint(*parts_->superblock, parts_->identity)
                                    : Fail(ErrorCode::kCorrupt, "the superblock is lost");
    if (!found && !IsDamage(found.error())) return tl::unexpected(std::move(found).error());
    if (!found && !salvages_) return RefuseDamaged(found.error());
    if (!found && copy_ && copy_->identity.store == parts_->identity.store && copy_->checkpoint) {
      found = *copy_->checkpoint;
    }
    if (!found) return DoWithoutCheckpoint(found.error().message);
    checkpoint_ = *std::move(found);
    has_checkpoint_ = true;
    return salvages_ ? LeaveOldCheckpoint() : Result<void>();
  }

  Result<void> DoWithoutCheckpoint(const std::string& why) {
    has_checkpoint_ = false;
    parts_->losses.push_back(why +
                             ": entries are read from all pages there are, and some that were "
                             "erased or replaced may be among them; the log is left out");
    checkpoint_ = {};
    checkpoint_.epoch = checkpoint_.first_segment = checkpoint_.next_sequence = 1;
    checkpoint_.shards.resize(parts_->identity.shards);
    return {};
  }

  // Discards an outdated checkpoint, from a backup, or a copy that a power failure kept from the
  // disk: the pages that it leads to have been reused since. If the store was not closed, there may
  // be pages of one more epoch, from an interrupted checkpoint.
  Result<void> LeaveOldCheckpoint() {
    const bool is_closed = checkpoint_.last_segment == format::kNoSegment;
    const uint64_t newest = checkpoint_.epoch + (is_closed ? 0 : 1);
    for (uint32_t i = 0; i < parts_->identity.shards; ++i) {
      const auto keys = parts_->env->OpenFile(ShardPath(parts_->path, i, "keys"), access_);
      if (!keys) continue;
      KVFS_ASSIGN(const bool is_old, HasNewerPage(**keys, ConfigOf(i), newest));
      if (is_old) {
        return DoWithoutCheckpoint(
            "the newest checkpoint that can be read is older than the pages "
            "of shard " +
            std::to_string(i));
      }
    }
    return {};
  }

  Result<std::unique_ptr<FileLock>> TakeLock() {
    const std::string path = LockPath(parts_->path);
    if (access_ == Access::kReadOnly && !is_alone_) return parts_->env->ShareLock(path);
    auto lock = parts_->env->LockFile(path, parts_->options.purpose);
    const bool is_full = !lock && lock.error().code == ErrorCode::kNoSpace;
    return is_full && is_alone_ ? parts_->env->ShareLock(path) : std::move(lock);
  }

  // Writes the opened state to both copies of the identity, and to both slots. Otherwise later
  // damage could make the other slot the newest, when its pages have long been reused. A slot that
  // seems right is rewritten nevertheless: it may be in the system's cache only, if the sync of the
  // process that wrote it failed; and it is rewritten first, as the other one may be all that is on
  // disk.
  Result<void> RepairSuperblock() {
    const std::vector<std::byte> identity = parts_->identity.Encode();
    for (const uint64_t offset : format::kIdentityOffset) {
      KVFS_ASSIGN(const bool is_sound, Holds(offset, identity));
      if (!is_sound) KVFS_TRY(WritePart(offset, identity, "identity"));
    }
    const std::vector<std::byte> slot = checkpoint_.Encode(parts_->identity.store);
    KVFS_ASSIGN(const bool is_first_sound, Holds(format::kSlotOffset[0], slot));
    const size_t sound = is_first_sound ? 0 : 1;
    KVFS_TRY(WritePart(format::kSlotOffset[sound], slot, ""));
    KVFS_ASSIGN(const bool is_other_sound, Holds(format::kSlotOffset[1 - sound], slot));
    // One slot on disk is enough to continue.
    if (is_other_sound) return {};
    return WritePart(format::kSlotOffset[1 - sound], slot, "checkpoint");
  }

  Result<bool> Holds(uint64_t offset, Bytes sound) const {
    std::vector<std::byte> present(sound.size());
    KVFS_TRY(parts_->superblock->Read(offset, present));
    return std::ranges::equal(present, sound);
  }

  Result<void> WritePart(uint64_t offset, Bytes sound, const std::string& damaged) {
    if (!damaged.empty()) {
      Log("the superblock's " + damaged + " at " + std::to_string(offset) +
          " is not the newest one; rewritten");
    }
    KVFS_TRY(parts_->superblock->Write(offset, sound));
    return parts_->superblock->Sync();
  }

  void Log(const std::string& line) const {
    if (parts_->options.log) parts_->options.log(line);
  }

  ShardConfig ConfigOf(uint32_t index) const {
    ShardConfig config;
    config.index = index;
    config.shards = parts_->identity.shards;
    config.page_bytes = parts_->identity.page_bytes;
    config.checksum_seed = parts_->identity.ShardSeed(index);
    config.hash = parts_->identity.NamesHash();
    config.read_only = access_ == Access::kReadOnly;
    config.log = parts_->options.log;
    config.env = parts_->env;
    return config;
  }

  Result<void> OpenShard(uint32_t index) {
    const ShardConfig config = ConfigOf(index);
    ShardFiles files;
    if (salvages_) {
      KVFS_TRY(SalvageShard(config, &files));
    } else {
      KVFS_ASSIGN(files, OpenShardFiles(*parts_->env, parts_->path, index, access_));
    }
    parts_->shards.push_back(std::make_unique<Shard>(std::move(files), config,
                                                     checkpoint_.shards[index], checkpoint_.epoch));
    return {};
  }

  // Opens the shard with new branches above its sound leaves; a file that cannot be opened counts
  // as empty.
  Result<void> SalvageShard(const ShardConfig& config, ShardFiles* files) {
    auto open = [&](const char* what) -> Result<std::unique_ptr<File>> {
      const std::string path = ShardPath(parts_->path, config.index, what);
      auto opened = parts_->env->OpenFile(path, access_);
      if (opened || !IsDamage(opened.error())) return opened;
      parts_->losses.push_back(opened.error().message);
      return std::make_unique<PatchedFile>(nullptr, path);
    };
    KVFS_ASSIGN(files->keys, open("keys"));
    KVFS_ASSIGN(files->values, open("values"));
    KVFS_ASSIGN(files->values_bytes, files->values->SizeBytes());
    KVFS_ASSIGN(files->keys_bytes, files->keys->SizeBytes());
    format::ShardRoot& root = checkpoint_.shards[config.index];
    KVFS_ASSIGN(SalvagedShard shard, SalvageTree(files, config, has_checkpoint_ ? &root : nullptr));
    root = shard.root;
    std::ranges::move(shard.losses, std::back_inserter(parts_->losses));
    std::ranges::move(shard.lost_entries, std::back_inserter(parts_->lost_entries));
    return {};
  }

  Result<void> OpenLog() {
    auto sync_blocks = [shards = &parts_->shards]() -> Result<void> {
      for (const auto& shard : *shards) KVFS_TRY(shard->blocks().SyncNamed());
      return {};
    };
    parts_->log = std::make_unique<RedoLog>(
        parts_->env,
        RedoLogConfig{LogPath(parts_->path), parts_->identity.store,
                      parts_->identity.log_segment_bytes,
                      parts_->identity.log_limit_bytes / parts_->identity.log_segment_bytes},
        sync_blocks);
    if (!has_checkpoint_) return {};
    KVFS_TRY(parts_->log->Open(access_));
    if (closed_) return {};
    KVFS_TRY(parts_->log->FindHeadless({checkpoint_.first_segment, checkpoint_.last_segment}));
    appended_ = parts_->log->Appended(checkpoint_.last_segment);
    const std::set<uint64_t> named = {checkpoint_.first_segment, checkpoint_.last_segment};
    for (const uint64_t segment : named) {
      if (parts_->log->Has(segment)) continue;
      KVFS_TRY(NoteLogDamage("the log lacks segment " + std::to_string(segment) +
                             ", with which it continues the newest checkpoint"));
    }
    const std::string cut = parts_->log->CutSegment(checkpoint_.first_segment);
    return cut.empty() ? Result<void>() : NoteLogDamage(cut + " has been cut short");
  }

  using Visit = std::function<Result<bool>(const LogRecord&, const std::vector<Change>&)>;

  Result<void> ForEachRecord(const Visit& visit) {
    return parts_->log->Replay(checkpoint_.first_segment, checkpoint_.next_sequence,
                               [&](const LogRecord& record) -> Result<bool> {
                                 KVFS_ASSIGN(const std::vector<Change> changes,
                                             format::DecodeChanges(record.payload));
                                 return visit(record, changes);
                               });
  }

  Result<void> Replay() {
    uint64_t end = checkpoint_.next_sequence;
    KVFS_TRY(Tolerate(FindEnd(&end)));
    KVFS_TRY(Tolerate(ReplayUntil(end)));
    return parts_->log->Start(checkpoint_.first_segment, end, checkpoint_.next_sequence - 1);
  }

  // The first pass. `end` is the sequence after the last record to replay.
  Result<void> FindEnd(uint64_t* end) {
    auto mark = [&](const LogRecord& record, const std::vector<Change>& changes) -> Result<bool> {
      KVFS_ASSIGN(const bool is_whole, MarkBlocks(record.sequence, changes));
      if (is_whole) ++*end;
      return is_whole;
    };
    KVFS_TRY(ForEachRecord(mark));
    return RequireEndAt(*end);
  }

  // Whether the record must exist: another record proves that it was durable, or a process appended
  // it and only that process, not the machine, has died since. The log is scanned once, however
  // much is damaged.
  Result<bool> WasThere(uint64_t sequence) {
    if (sequence <= appended_) return true;
    if (!proven_durable_) {
      KVFS_ASSIGN(proven_durable_, parts_->log->ProvenDurable(checkpoint_.first_segment));
    }
    return *proven_durable_ >= sequence;
  }

  // A log that ends too early is damaged.
  Result<void> RequireEndAt(uint64_t end) {
    if (closed_) return {};
    KVFS_ASSIGN(const bool is_damaged, WasThere(end));
    if (!is_damaged) return {};
    return NoteLogDamage("the log is damaged: record " + std::to_string(end) +
                         (end <= appended_ ? ", which was appended and cannot have been lost"
                                           : ", which was durable") +
                         ", cannot be read, and so neither it nor those behind it can be carried "
                         "out");
  }

  // Refuses a store opened for writing: it would lose acknowledged changes. A read-only store is
  // opened nevertheless. The first damage ends the replay; its consequences are not further losses.
  Result<void> NoteLogDamage(const std::string& what) {
    Log(what);
    if (salvages_ && parts_->log_damage.empty()) parts_->losses.push_back(what);
    if (parts_->log_damage.empty()) parts_->log_damage = what;
    if (access_ == Access::kReadOnly) return {};
    return Fail(ErrorCode::kCorrupt, what + "; open the store for reading only, or repair it");
  }

  // False if a block that the record names is missing: then neither the block nor the record was
  // durable.
  Result<bool> MarkBlocks(uint64_t sequence, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      if (auto possible = CheckChange(change, parts_->placement->shards()); !possible) {
        return Fail(ErrorCode::kCorrupt,
                    "log record " + std::to_string(sequence) + ": " + possible.error().message);
      }
      KVFS_ASSIGN(const bool is_whole, HasItsBlocks(sequence, change));
      if (!is_whole) return false;
    }
    // Only now, since a record that is left out must not mark blocks.
    for (const Change& change : changes) {
      if (change.kind != Kind::kWriteBlocks) continue;
      Shard& owner = *parts_->shards[change.owner];
      for (size_t i = 0; i < change.BlockCount(); ++i) {
        KVFS_TRY(owner.block_allocator().Mark(change.Block(i).number));
        owner.blocks().NoteReplayed(change.Block(i).number);
      }
    }
    return true;
  }

  // A damaged block of a durable record counts as present: readers of that block get an error, and
  // nothing else is lost.
  Result<bool> HasItsBlocks(uint64_t sequence, const Change& change) {
    if (change.kind != Kind::kWriteBlocks) return true;
    for (size_t i = 0; i < change.BlockCount(); ++i) {
      auto sound = parts_->shards[change.owner]->blocks().Check(change.Block(i));
      if (sound) continue;
      if (sound.error().code != ErrorCode::kCorrupt) return tl::unexpected(sound.error());
      KVFS_ASSIGN(const bool is_damaged, WasThere(sequence));
      Log((is_damaged ? "record " : "the log ends before record ") + std::to_string(sequence) +
          (is_damaged ? " names a block that is damaged: "
                      : ", which names a block that is not on the disk: ") +
          sound.error().message);
      if (!is_damaged) return false;
    }
    return true;
  }

  // The second pass.
  Result<void> ReplayUntil(uint64_t end) {
    const ExclusiveLocks locks(parts_->shards, AllShards(parts_->shards));
    auto replay = [&](const LogRecord& record, const std::vector<Change>& changes) -> Result<bool> {
      if (record.sequence >= end) return false;
      for (const Change& change : changes) {
        KVFS_TRY(CarryOutIfSound(change, record.sequence, locks));
        const bool names_blocks = change.kind == Kind::kWriteBlocks;
        const uint64_t named = names_blocks ? change.BlockCount() * format::kBlockBytes : 0;
        parts_->account.Add(0, named);
        parts_->space.Add(named, 0);
      }
      parts_->account.Add(record.EncodedBytes(), 0);
      ++parts_->replayed_records;
      return true;
    };
    KVFS_TRY(ForEachRecord(replay));
    if (parts_->replayed_records > 0) {
      Log("recovered: the store was not closed; replayed " +
          std::to_string(parts_->replayed_records) + " log records");
    }
    return {};
  }

  // Damage in one place must not prevent opening the rest.
  Result<void> CarryOutIfSound(const Change& change, uint64_t sequence,
                               const ExclusiveLocks& locks) {
    if (change.kind == Kind::kPut) {
      parts_->shards[parts_->placement->OwnerOf(change.id)]->NoteId(change.id);
    }
    auto done = CarryOut(change, sequence, locks, &ChangeApplier::Execute);
    if (done || done.error().code != ErrorCode::kCorrupt) return done;
    const std::string what =
        DescribeEntry(change.directory, change.name) +
        " is lost: a change of it cannot be applied, because of damage: " + done.error().message;
    Log(what);
    if (salvages_) parts_->losses.push_back(what);
    return CarryOut(change, sequence, locks, &ChangeApplier::MarkLost);
  }

  Result<void> CarryOut(const Change& change, uint64_t sequence, const ExclusiveLocks& locks,
                        Result<void> (ChangeApplier::*how)(const Change&)) {
    constexpr uint64_t kSpareBlocks = 64;
    while (true) {
      Transaction transaction(parts_->shards, locks, 0);
      ChangeApplier applier(&transaction, parts_->placement.get(),
                            parts_->shards.front()->inline_limit(), ChangeApplier::Damage::kLeak);
      auto done = (applier.*how)(change);
      if (done) done = transaction.WriteNewBlocks();
      if (done) {
        parts_->space.Add(transaction.TakenBytes(), transaction.FreedBytes());
        return transaction.Commit(sequence);
      }
      if (done.error().code != ErrorCode::kRetry) return done;
      for (const auto& [shard, blocks] : transaction.missing_blocks()) {
        BlockAllocator& space = parts_->shards[shard]->block_allocator();
        auto reserved = space.Reserve(blocks + kSpareBlocks);
        // The previous process had room for what is replayed, but perhaps for nothing more.
        if (!reserved && reserved.error().code == ErrorCode::kNoSpace) {
          reserved = space.Reserve(blocks);
        }
        KVFS_TRY(reserved);
      }
    }
  }

  Result<void> Begin() {
    parts_->reclaimer = std::make_unique<OrphanReclaimer>(
        &parts_->shards, parts_->placement.get(), &parts_->snapshots, parts_->commit_target());
    parts_->checkpointer = std::make_unique<Checkpointer>(
        CheckpointerConfig{parts_->identity, parts_->options.dirty_limit_bytes,
                           parts_->options.idle_ms},
        &parts_->shards, parts_->log.get(), &parts_->account, &parts_->space,
        parts_->superblock.get(), &parts_->identity_file, parts_->failure_latch.get(), checkpoint_,
        [reclaimer = parts_->reclaimer.get()](const auto& has_room) {
          return reclaimer->Run(has_room);
        });
    KVFS_TRY(SyncNames());
    KVFS_TRY(BeginLog());
    return parts_->checkpointer->StartThread();
  }

  // A killed process may not have synced the names that it created: that of a log file which is a
  // spare now, or, if there is only the first checkpoint, that of the store.
  Result<void> SyncNames() {
    constexpr uint64_t kFirstEpoch = 1;
    if (closed_ && checkpoint_.epoch > kFirstEpoch) return {};
    KVFS_TRY(parts_->env->SyncDirectory(LogPath(parts_->path)));
    if (checkpoint_.epoch > kFirstEpoch) return {};
    KVFS_TRY(parts_->env->SyncDirectory(parts_->path));
    // The parent directory may belong to another user.
    auto synced = parts_->env->SyncDirectory(ParentPath(parts_->path));
    if (!synced && synced.error().code == ErrorCode::kPermission) return {};
    return synced;
  }

  // A full disk must not prevent reading.
  Result<void> BeginLog() {
    auto begun = parts_->checkpointer->BeginLog();
    if (begun || begun.error().code != ErrorCode::kNoSpace) return begun;
    Log("the disk is full: the store can be read, and changed once there is room: " +
        begun.error().message);
    return {};
  }

  const Access access_;
  const bool salvages_;
  bool is_alone_ = false;
  std::unique_ptr<EngineParts> parts_ = std::make_unique<EngineParts>();
  format::Checkpoint checkpoint_;
  bool has_checkpoint_ = false;
  // When salvaging: the superblock's copy, or why there is none.
  std::optional<IdentityCopy> copy_;
  std::string why_no_copy_;
  bool closed_ = false;    // no log continues the checkpoint
  uint64_t appended_ = 0;  // see WasThere
  std::optional<uint64_t> proven_durable_;
};

}  // namespace

Result<std::unique_ptr<EngineParts>> Recover(Env& env, const std::string& path, OpenOptions options,
                                             RecoveryMode mode) {
  auto opened = Recovery(env, path, options, mode).Run();
  const bool is_full = !opened && opened.error().code == ErrorCode::kNoSpace;
  if (!is_full || options.read_only) return opened;
  // Not even the replay can write: its writes stay in memory, and the disk is unchanged.
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
