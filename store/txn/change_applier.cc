// One function for each kind of change.
#include "store/txn/change_applier.h"

#include <algorithm>

namespace kvfs {

using format::Change;
using format::ContentShape;
using format::Entry;
using Found = format::Change::Found;
using Kind = format::Change::Kind;

namespace {

bool EndsWithin(uint64_t begin, uint64_t length) {
  return begin <= kMaxContentBytes && length <= kMaxContentBytes - begin;
}

bool HasPossibleKeys(const Change& change) {
  const bool has_name = change.kind != Kind::kReclaim;
  const bool has_to_name = format::HasSecondName(change.kind);
  return change.name.empty() == !has_name && change.name.size() <= kMaxNameBytes &&
         change.to_name.empty() == !has_to_name && change.to_name.size() <= kMaxNameBytes &&
         change.directory < format::kFirstOwnDirectory &&
         change.to_directory < format::kFirstOwnDirectory;
}

bool HasPossibleIds(const Change& change) {
  const bool has_id = change.kind == Kind::kPut;
  return change.id <= format::kMaxId && (!has_id || change.id >= kFirstId) &&
         change.content <= format::kMaxId;
}

bool HasPossibleData(const Change& change) {
  if (change.kind != Kind::kWriteBlocks) return change.data.size() <= kMaxLoggedBytes;
  return change.offset % format::kBlockBytes == 0 &&
         change.data.size() % format::BlockPointer::kBytes == 0;
}

bool HasPossibleRange(const Change& change) {
  const bool is_blocks = change.kind == Kind::kWriteBlocks;
  const uint64_t bytes =
      is_blocks ? change.BlockCount() * uint64_t{format::kBlockBytes} : change.data.size();
  return change.size <= kMaxContentBytes && EndsWithin(change.offset, change.length) &&
         EndsWithin(change.offset, bytes);
}

// Each block was written before the record.
bool HasPossibleBlocks(const Change& change) {
  if (change.kind != Kind::kWriteBlocks) return true;
  for (size_t i = 0; i < change.BlockCount(); ++i) {
    const uint64_t number = change.Block(i).number;
    if (number == 0 || number >= format::kMaxNumber) return false;
  }
  return true;
}

bool HasPossibleMetas(const Change& change) {
  return change.meta.value_or("").size() <= kMaxMetaBytes &&
         change.to_meta.value_or("").size() <= kMaxMetaBytes;
}

}  // namespace

Result<void> CheckChange(const Change& change, uint32_t shards) {
  auto refuse = [](const char* what) {
    return Fail(ErrorCode::kInvalid, std::string("a change has an impossible ") + what);
  };
  if (!HasPossibleKeys(change)) return refuse("key");
  if (!HasPossibleIds(change)) return refuse("id: one is 16 to 2^62");
  if (change.owner >= shards) return refuse("owner");
  if (!HasPossibleData(change)) return refuse("amount of data");
  if (!HasPossibleBlocks(change)) return refuse("block");
  if (!HasPossibleRange(change)) return refuse("range: a content ends below 2^63 bytes");
  if (!HasPossibleMetas(change)) return refuse("meta");
  return {};
}

Result<std::optional<ChangeApplier::Present>> ChangeApplier::Look(const Place& place) {
  const auto seen = std::span(seen_).first(seen_count_);
  const auto known =
      std::ranges::find_if(seen, [&](const Seen& it) { return it.place.key == place.key; });
  if (known != seen.end()) return known->found;
  auto found = transaction_.Find(place.shard, place.key);
  if (!found) {
    if (found.error().code == ErrorCode::kNotFound) return std::nullopt;
    return tl::unexpected(std::move(found).error());
  }
  KVFS_ASSIGN(const Entry entry, Entry::Decode(found->value, limit_));
  const Present present = {entry, found->version};
  if (seen_count_ < seen_.size()) seen_[seen_count_++] = {place, present};
  return present;
}

Result<std::optional<MutableEntry>> ChangeApplier::Load(const Place& place) {
  KVFS_ASSIGN(const auto present, Look(place));
  if (!present) return std::nullopt;
  return MutableEntry::Of(present->entry, limit_);
}

void ChangeApplier::Save(const Place& place, const MutableEntry& entry) {
  seen_count_ = 0;
  transaction_.Put(place.shard, place.key, entry.Encode(limit_));
}

Result<void> ChangeApplier::LetGo(MutableEntry* entry) {
  if (ContentShape::Of(entry->size, limit_).blocks == 0) return {};
  const uint32_t owner = placement_.OwnerOf(entry->id);
  KVFS_TRY(transaction_.NeedShard(owner));
  return ContentEditor(&transaction_, owner, limit_, entry).LetGo();
}

// Drops the content of the entry there; false if there is no entry.
Result<bool> ChangeApplier::LetGoAt(const Place& place) {
  auto let_go = [&]() -> Result<bool> {
    KVFS_ASSIGN(auto present, Load(place));
    if (present) KVFS_TRY(LetGo(&*present));
    return present.has_value();
  };
  auto done = let_go();
  const bool is_damaged = !done && done.error().code == ErrorCode::kCorrupt;
  return is_damaged && damage_ == Damage::kLeak ? true : done;
}

Result<void> ChangeApplier::Put(const Change& change, const Place& place) {
  bool is_new = change.found == Found::kAbsent;
  if (change.found == Found::kUnknown) {
    KVFS_ASSIGN(const bool is_present, LetGoAt(place));
    is_new = !is_present;
  }
  if (is_new) transaction_.CountEntries(place.shard, +1);
  const std::string_view meta = change.meta.value_or(std::string_view{});
  if (change.data.size() <= limit_) {
    std::vector<std::byte> bytes;
    Entry{change.id, change.data.size(), meta, change.data, {}}.Encode(limit_, &bytes);
    transaction_.Put(place.shard, place.key, std::move(bytes));
    return {};
  }
  MutableEntry entry;
  entry.id = change.id;
  entry.meta = meta;
  const uint32_t owner = placement_.OwnerOf(entry.id);
  KVFS_TRY(transaction_.NeedShard(owner));
  ContentEditor editor(&transaction_, owner, limit_, &entry);
  KVFS_TRY(editor.Write(0, change.data));
  editor.Finish();
  Save(place, entry);
  return {};
}

Result<void> ChangeApplier::EraseAt(const Place& place, Found found) {
  if (found == Found::kAbsent) return {};
  if (found == Found::kUnknown) {
    KVFS_ASSIGN(const bool is_present, LetGoAt(place));
    if (!is_present) return {};
  }
  transaction_.CountEntries(place.shard, -1);
  transaction_.Erase(place.shard, place.key);
  return {};
}

Result<void> ChangeApplier::Move(const Change& change, const Place& from, const Place& to) {
  KVFS_ASSIGN(auto entry, Load(from));
  if (!entry) return {};
  if (change.meta) entry->meta = *change.meta;
  if (from.key != to.key) {
    KVFS_TRY(EraseAt(to, Found::kUnknown));
    transaction_.Erase(from.shard, from.key);
    transaction_.CountEntries(from.shard, -1);
    transaction_.CountEntries(to.shard, +1);
  }
  Save(to, *entry);
  return {};
}

Result<void> ChangeApplier::Exchange(const Change& change, const Place& one, const Place& other) {
  KVFS_ASSIGN(auto first, Load(one));
  KVFS_ASSIGN(auto second, Load(other));
  if (!first || !second) return {};
  if (change.meta) first->meta = *change.meta;
  if (change.to_meta) second->meta = *change.to_meta;
  Save(other, *first);
  // If both keys are equal, the first change wins.
  if (one.key != other.key) Save(one, *second);
  return {};
}

// Blocks and chunks stay where they are, in the owner shard that both ids have.
Result<void> ChangeApplier::TakeContent(const Change& change, const Place& taker_at,
                                        const Place& giver_at) {
  KVFS_ASSIGN(auto taker, Load(taker_at));
  KVFS_ASSIGN(auto giver, Load(giver_at));
  if (!taker || !giver) return {};
  if (taker_at.key == giver_at.key ||
      placement_.OwnerOf(taker->id) != placement_.OwnerOf(giver->id)) {
    return Fail(ErrorCode::kCorrupt, "a log record moves a content where none can be");
  }
  KVFS_TRY(LetGo(&*taker));
  giver->id = taker->id;
  giver->meta = change.meta.value_or(taker->meta);
  transaction_.Erase(giver_at.shard, giver_at.key);
  transaction_.CountEntries(giver_at.shard, -1);
  Save(taker_at, *giver);
  return {};
}

// Changes of one entry that keeps its key.
Result<void> ChangeApplier::Edit(const Change& change, const Place& place) {
  KVFS_ASSIGN(auto entry, Load(place));
  if (!entry) return {};
  if (change.meta) entry->meta = *change.meta;
  if (change.kind != Kind::kMeta) {
    const uint32_t owner = placement_.OwnerOf(entry->id);
    // A content that is all tail, and stays so, involves only the entry's own shard.
    const uint64_t end =
        std::max({entry->size, change.size,
                  change.kind == Kind::kWrite ? change.offset + change.data.size() : uint64_t{0}});
    const bool has_blocks = ContentShape::Of(entry->size, limit_).blocks > 0 ||
                            ContentShape::Of(end, limit_).blocks > 0;
    if (has_blocks || change.kind == Kind::kWriteBlocks) KVFS_TRY(transaction_.NeedShard(owner));
    if (change.kind == Kind::kWriteBlocks && change.owner != owner) {
      return Fail(ErrorCode::kCorrupt, "a log record places blocks where none can be");
    }
    ContentEditor editor(&transaction_, owner, limit_, &*entry);
    KVFS_TRY(EditContent(change, &editor));
    editor.Finish();
  }
  Save(place, *entry);
  return {};
}

Result<void> ChangeApplier::EditContent(const Change& change, ContentEditor* editor) {
  switch (change.kind) {
    case Kind::kWrite:
      return editor->Write(change.offset, change.data);
    case Kind::kWriteBlocks:
      return editor->PlaceBlocks(change);
    case Kind::kResize:
      return editor->Resize(change.size);
    case Kind::kPunch:
      return editor->Punch(change.offset, change.length);
    case Kind::kAllocate:
      return editor->Allocate(change.offset, change.length);
    default:
      return {};
  }
}

// Frees the blocks of an orphaned content's chunks below `end`, from where the last such change
// ended; removes the orphan when no chunks are left.
Result<void> ChangeApplier::Reclaim(const Change& change) {
  const uint32_t owner = placement_.OwnerOf(change.content);
  const uint64_t directory = format::ContentDirectory(change.content);
  const format::RecordKey orphan_key{format::kOrphanDirectory, change.content, {}};
  KVFS_TRY(transaction_.NeedShard(owner));
  const auto orphan = transaction_.Find(owner, orphan_key);
  if (!orphan) {
    if (orphan.error().code == ErrorCode::kNotFound) return {};
    return tl::unexpected(orphan.error());
  }
  const uint64_t first = format::DecodeFirstLeft(orphan->value);
  const uint64_t end = std::max(first, change.end);
  KVFS_ASSIGN(const auto numbers, transaction_.NumbersOf(owner, directory, first, end));
  for (const uint64_t number : numbers) {
    KVFS_ASSIGN(const auto found, transaction_.Find(owner, {directory, number, {}}));
    // Blocks named by a damaged chunk stay in use, for a repair to find.
    if (const auto chunk = format::Chunk::Decode(found.value)) {
      for (const format::BlockPointer& block : chunk->blocks) transaction_.FreeBlock(owner, block);
    }
    transaction_.Erase(owner, {directory, number, {}});
  }
  transaction_.NoteRowErased(owner, {directory, first, end, numbers.size()});
  KVFS_ASSIGN(const auto rest, transaction_.NumbersOf(owner, directory, end, ~uint64_t{0}, 1));
  if (!rest.empty()) {
    transaction_.Put(owner, orphan_key, format::EncodeFirstLeft(end));
    return {};
  }
  transaction_.Erase(owner, orphan_key);
  transaction_.CountOrphans(owner, -1);
  return {};
}

Result<void> ChangeApplier::MarkLostAt(const Place& place) {
  const auto present = transaction_.Find(place.shard, place.key);
  if (!present && present.error().code == ErrorCode::kNotFound) {
    transaction_.CountEntries(place.shard, +1);
  }
  transaction_.Put(place.shard, place.key, Entry::Lost());
  return {};
}

Result<void> ChangeApplier::NeedShards(const Change& change, const Places& places) {
  if (change.kind == Kind::kReclaim) return {};  // it has no name
  KVFS_TRY(transaction_.NeedShard(places.at.shard));
  if (format::HasSecondName(change.kind)) KVFS_TRY(transaction_.NeedShard(places.to.shard));
  return {};
}

Result<void> ChangeApplier::MarkLost(const Change& change, const Places& places) {
  if (change.kind == Kind::kReclaim) return {};  // its blocks stay in use
  KVFS_TRY(NeedShards(change, places));
  seen_count_ = 0;
  if (!format::HasSecondName(change.kind)) return MarkLostAt(places.at);
  // The entry that the change would remove is erased; the one that would have received its content
  // is marked lost.
  const bool ends_first = change.kind == Kind::kMove,
             ends_other = change.kind == Kind::kTakeContent;
  KVFS_TRY(ends_first ? EraseAt(places.at, Found::kWithoutBlocks) : MarkLostAt(places.at));
  return ends_other ? EraseAt(places.to, Found::kWithoutBlocks) : MarkLostAt(places.to);
}

Result<void> ChangeApplier::Execute(const Change& change, const Places& places) {
  KVFS_TRY(NeedShards(change, places));
  auto done = Apply(change, places);
  seen_count_ = 0;
  return done;
}

Result<void> ChangeApplier::Apply(const Change& change, const Places& places) {
  switch (change.kind) {
    case Kind::kPut:
      return Put(change, places.at);
    case Kind::kErase:
      return EraseAt(places.at, change.found);
    case Kind::kMove:
      return Move(change, places.at, places.to);
    case Kind::kExchange:
      return Exchange(change, places.at, places.to);
    case Kind::kTakeContent:
      return TakeContent(change, places.at, places.to);
    case Kind::kReclaim:
      return Reclaim(change);
    default:
      return Edit(change, places.at);
  }
}

}  // namespace kvfs
