// Checks each shard's tree first: the owners of blocks are known only when all have been read.
#include "store/engine/checker.h"

#include "store/btree/tree_checker.h"
#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"
#include "store/shard/record_cursor.h"

namespace kvfs {

using format::kBlockBytes;
using format::LeafRecord;

Checker::Checker(EngineParts* parts, const CheckOptions* options)
    : parts_(*parts), options_(*options), shards_(parts->shards.size()) {}

Result<CheckReport> Checker::Run() {
  std::optional<MutexLock<RankedMutex>> paused;
  if (parts_.checkpointer) paused.emplace(parts_.checkpointer->pause());
  snapshot_ = EngineSnapshot::Take(&parts_);
  session_.emplace(&options_, BytesToCheck());
  contents_.emplace(&parts_.shards, parts_.placement.get(), &*session_);
  CheckSuperblock();
  paused.reset();
  const auto count = static_cast<uint32_t>(shards_.size());
  for (uint32_t i = 0; i < count; ++i) CheckTree(i);
  for (uint32_t i = 0; i < count; ++i) LoadMaps(i);
  if (!session_->ended()) {
    contents_->CompareContents(HasGaps());
    for (uint32_t i = 0; i < count; ++i) CompareMaps(i);
    for (uint32_t i = 0; i < count; ++i) CompareCounts(i);
  }
  uint64_t entries = 0;
  for (uint32_t i = 0; i < count; ++i) {
    CheckMemory(i);
    entries += CountEntries(i);
  }
  session_->SetEntries(entries);
  if (!parts_.log_damage.empty()) session_->Damage(parts_.log_damage);
  if (contents_->WantsNames()) NameDamage();
  if (session_->failure()) return tl::unexpected(*session_->failure());
  return session_->report();
}

uint64_t Checker::BytesToCheck() const {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < shards_.size(); ++i) {
    const format::ShardRoot& root = RootOf(i);
    bytes += root.pages_used * parts_.identity.page_bytes + root.blocks_used * kBlockBytes;
  }
  return bytes;
}

bool Checker::HasGaps() const {
  return std::ranges::any_of(shards_, [](const ShardState& state) { return state.has_gaps; });
}

// A single failed read may be temporary.
bool Checker::HasBoth(const uint64_t (&offsets)[2], size_t length) {
  std::vector<std::byte> first(length), second(length);
  Result<void> read = Fail(ErrorCode::kIo);
  for (int tries = 0; tries < 2 && !read; ++tries) {
    read = parts_.superblock->Read(offsets[0], first);
    if (read) read = parts_.superblock->Read(offsets[1], second);
  }
  if (!read && read.error().code != ErrorCode::kIo) {
    session_->Abandon(read.error());
    return true;
  }
  return read && first == second;
}

// Data with one sound copy is still readable, and the next opening rewrites the other copy.
void Checker::CheckSuperblock() {
  CheckIdentity();
  CheckIdentityCopy();
  CheckSlots();
}

void Checker::CheckIdentity() {
  if (HasBoth(format::kIdentityOffset, format::kIdentityBytes)) return;
  session_->Damage(
      "the superblock's two copies of the store's identity differ: one of the two is damaged; the "
      "next opening for writing rewrites it");
}

// Without the file the store is sound: older versions do not write it.
void Checker::CheckIdentityCopy() {
  const auto copy = ReadIdentityCopy(*parts_.env, parts_.path);
  if (!copy && copy.error().code != ErrorCode::kCorrupt) return;
  if (copy && copy->identity.Encode() == parts_.identity.Encode()) return;
  session_->Damage("the file identity is not the copy of the store's identity that it should be" +
                   (copy ? std::string(": it is of another store") : ": " + copy.error().message) +
                   "; the next opening for writing recreates it");
}

// A process that dies between the writes of the two slots leaves both sound, but of different age.
void Checker::CheckSlots() {
  const auto newest = ReadCheckpoint(*parts_.superblock, parts_.identity);
  if (newest) session_->SetLogRecords(snapshot_->version() + 1 - newest->next_sequence);
  const size_t bytes = format::kSlotHeaderBytes + shards_.size() * format::kSlotShardBytes;
  if (HasBoth(format::kSlotOffset, bytes)) return;
  bool are_sound = true;
  for (const uint64_t offset : format::kSlotOffset) {
    std::vector<std::byte> slot(bytes);
    are_sound = are_sound && parts_.superblock->Read(offset, slot) &&
                format::Checkpoint::Decode(slot, parts_.identity.store, parts_.identity.shards);
  }
  if (are_sound) {
    session_->Note(
        "the superblock's two checkpoints are of different age: a process has ended between the "
        "writes of the two; the newer one counts, and the next opening for writing makes them "
        "equal");
    return;
  }
  session_->Damage(
      "the superblock's two checkpoints differ: one of the two is damaged; the next opening for "
      "writing rewrites it");
}

void Checker::CheckTree(uint32_t shard) {
  TreeChecker checker(&snapshot_->pins()[shard].tree->tree,
                      "shard " + std::to_string(shard) + " keys", &*session_,
                      [&](const LeafRecord& record) { contents_->VisitRecord(shard, record); });
  checker.Run();
  shards_[shard].pages = checker.reached();
  shards_[shard].has_gaps = checker.has_gaps();
}

void Checker::LoadMaps(uint32_t shard) {
  const Shard& part = *parts_.shards[shard];
  const std::string name = "shard " + std::to_string(shard) + ": the allocation map of ";
  auto load = [&](const format::MapRoot& root, const char* what, const File& file,
                  uint32_t unit_bytes) {
    const auto file_bytes = file.SizeBytes();
    if (!file_bytes) session_->Abandon(file_bytes.error());
    auto checker = std::make_unique<AllocatorChecker>(&part.blocks(), root, name + what,
                                                      file_bytes.value_or(0) / unit_bytes,
                                                      unit_bytes, &*session_);
    checker->Load(
        [&](format::BlockPointer block) { return contents_->VisitMapBlock(shard, block); });
    return checker;
  };
  const format::ShardRoot& root = RootOf(shard);
  shards_[shard].page_map =
      load(root.page_map, "pages", part.pages().file(), parts_.identity.page_bytes);
  shards_[shard].block_map = load(root.block_map, "blocks", part.blocks().file(), kBlockBytes);
}

// A shard's blocks may belong to entries of any shard.
void Checker::CompareMaps(uint32_t shard) {
  const format::ShardRoot& root = RootOf(shard);
  const ShardState& state = shards_[shard];
  state.page_map->Compare(state.pages, root.pages_used, state.has_gaps);
  state.block_map->Compare(contents_->reached(shard), root.blocks_used, HasGaps());
}

void Checker::CompareCounts(uint32_t shard) {
  if (shards_[shard].has_gaps) return;
  auto compare = [&](const char* what, uint64_t found, uint64_t said) {
    if (found == said) return;
    session_->Space("shard " + std::to_string(shard) + " has " + std::to_string(found) + " " +
                    what + ", and the checkpoint says " + std::to_string(said));
  };
  compare("entries", contents_->entries(shard), RootOf(shard).entries);
  compare("contents to be freed", contents_->orphaned_contents(shard),
          RootOf(shard).orphaned_contents);
}

// The records in memory alone, merged over an empty tree.
void Checker::CheckMemory(uint32_t shard) {
  ShardPin pin = snapshot_->pins()[shard];
  pin.tree = std::make_shared<TreeVersion>(
      TreeVersion{Tree(&parts_.shards[shard]->pages(), {}), pin.tree->epoch, {}});
  RecordCursor cursor(std::move(pin), snapshot_->version(), &parts_.shards[shard]->mutex);
  for (cursor.Seek({}, ~uint64_t{0}); cursor.Valid() && !session_->ended(); cursor.Next()) {
    contents_->VisitRecordInMemory(shard, cursor.Record());
  }
}

// Counts as a listing of all directories would. A read-only store does not change, so there the
// shard's own count must agree.
uint64_t Checker::CountEntries(uint32_t shard) {
  if (session_->ended()) return 0;
  const ShardPin& pin = snapshot_->pins()[shard];
  const bool has_changes =
      pin.active->count() > 0 || (pin.closed != nullptr && pin.closed->count() > 0);
  if (!has_changes) return contents_->entries(shard);
  uint64_t count = 0;
  RecordCursor cursor(pin, snapshot_->version(), &parts_.shards[shard]->mutex);
  for (cursor.Seek({}, format::kFirstOwnDirectory - 1); cursor.Valid(); cursor.Next()) ++count;
  if (parts_.checkpointer || shards_[shard].has_gaps || cursor.damage()) return count;
  uint64_t said = 0;
  {
    const SharedLock lock(parts_.shards[shard]->mutex);
    said = parts_.shards[shard]->entries();
  }
  if (count != said) {
    session_->Space("shard " + std::to_string(shard) + " has " + std::to_string(count) +
                    " entries after the log is applied, and counts " + std::to_string(said));
  }
  return count;
}

void Checker::NameDamage() {
  for (uint32_t shard = 0; shard < shards_.size() && contents_->WantsNames(); ++shard) {
    RecordCursor cursor(snapshot_->pins()[shard], snapshot_->version(),
                        &parts_.shards[shard]->mutex);
    for (cursor.Seek({}, format::kFirstOwnDirectory - 1); cursor.Valid(); cursor.Next()) {
      contents_->VisitName(cursor.Record());
    }
    const auto missed = cursor.damage();
    if (missed && missed->code != ErrorCode::kCorrupt) session_->Abandon(*missed);
  }
  contents_->TellUnnamed();
}

}  // namespace kvfs
