// One function for each kind of operation.
#include "store/txn/batch_resolver.h"

#include <algorithm>

#include "store/base/retry.h"

namespace kvfs {

using format::Change;
using format::ContentShape;
using format::Entry;
using Kind = format::Change::Kind;

namespace {

Change ChangeOf(Kind kind, Key key) {
  Change change;
  change.kind = kind;
  change.directory = key.directory;
  change.name = key.name;
  return change;
}

Result<void> CheckKey(Key key) {
  if (key.name.empty() || key.name.size() > kMaxNameBytes) {
    return Fail(ErrorCode::kInvalid,
                "a name must have 1 to 255 bytes, not " + std::to_string(key.name.size()));
  }
  if (key.directory >= format::kFirstOwnDirectory) {
    return Fail(ErrorCode::kInvalid, "a directory must be below 2^63");
  }
  return {};
}

Result<void> CheckRange(uint64_t offset, uint64_t length) {
  if (offset > kMaxContentBytes || length > kMaxContentBytes - offset) {
    return Fail(ErrorCode::kInvalid, "a content ends below 2^63 bytes");
  }
  return {};
}

Result<void> CheckMeta(std::string_view meta) {
  if (meta.size() <= kMaxMetaBytes) return {};
  return Fail(ErrorCode::kTooLarge, "an entry's meta must have at most 255 bytes");
}

}  // namespace

Result<void> BatchResolver::Resolve(const PlacedBatch& batch, std::vector<std::byte>* record) {
  record_ = record;
  for (size_t i = 0; i < batch.operations().size(); ++i) {
    places_ = &batch.places(i);
    transaction_.SetLooks(looks_.Of(i));
    KVFS_TRY(ResolveOne(i, batch.operations()[i]));
  }
  return {};
}

void BatchResolver::GiveIds() const {
  for (const auto& [to, id] : new_ids_) *to = id;
}

Result<void> BatchResolver::ResolveOne(size_t index, const Operation& operation) {
  KVFS_TRY(CheckKey(operation.key));
  switch (operation.kind) {
    case Operation::Kind::kPut:
      return ResolvePut(index, operation);
    case Operation::Kind::kRestore:
      return ResolveRestore(operation);
    case Operation::Kind::kErase:
      return ResolveErase(operation);
    case Operation::Kind::kWrite:
      return ResolveWrite(index, operation);
    case Operation::Kind::kResize:
      return ResolveResize(operation);
    case Operation::Kind::kPunch:
    case Operation::Kind::kAllocate:
      return ResolveRange(operation);
    case Operation::Kind::kMove:
      return ResolveMove(operation);
    case Operation::Kind::kExchange:
      return ResolveExchange(operation);
    case Operation::Kind::kEditMeta:
      return ResolveEditMeta(operation);
    case Operation::Kind::kExpect:
      return ResolveExpect(operation);
    case Operation::Kind::kTakeContent:
      return ResolveTakeContent(operation);
  }
  return Fail(ErrorCode::kInvalid, "an operation of no known kind");
}

Result<std::optional<BatchResolver::Present>> BatchResolver::StateOf(const Place& place) {
  KVFS_TRY(transaction_.NeedShard(place.shard));
  return applier_.Look(place);
}

Result<BatchResolver::Present> BatchResolver::Existing(const Place& place) {
  KVFS_ASSIGN(const auto state, StateOf(place));
  if (!state) return Fail(ErrorCode::kNotFound);
  return *state;
}

Change::Found BatchResolver::FoundOf(const std::optional<Present>& state) const {
  if (!state) return Change::Found::kAbsent;
  const bool has_blocks = ContentShape::Of(state->entry.size, limit_).blocks > 0;
  return has_blocks ? Change::Found::kUnknown : Change::Found::kWithoutBlocks;
}

// Applies the edit to the current meta, and keeps the result.
Result<void> BatchResolver::AddMeta(const MetaEdit& edit, std::string_view present,
                                    std::optional<std::string_view>* meta) {
  if (!edit) return {};
  std::string& edited = metas_.emplace_back(present);
  edit(edited);
  *meta = edited;
  return CheckMeta(edited);
}

Result<void> BatchResolver::Do(const Change& change) {
  KVFS_TRY(CheckChange(change, placement_.shards()));
  KVFS_TRY(applier_.Execute(change, *places_));
  change.AppendTo(record_);
  return {};
}

Result<void> BatchResolver::ResolvePut(size_t index, const Operation& put) {
  KVFS_ASSIGN(const auto state, StateOf(places_->at));
  if (state && put.if_present == Batch::IfPresent::kRefuse) return Fail(ErrorCode::kExists);
  if (put.meta) KVFS_TRY(CheckMeta(*put.meta));
  grows_ = true;
  Change change = ChangeOf(Kind::kPut, put.key);
  change.found = FoundOf(state);
  if (state) {
    change.id = state->entry.id;
  } else {
    change.id = put.given_id ? *put.given_id : transaction_.TakeId(places_->at.shard);
  }
  change.meta = std::string_view();
  if (put.meta) {
    change.meta = *put.meta;
  } else if (state) {
    // The current entry's bytes may be freed while the change is applied.
    change.meta = metas_.emplace_back(state->entry.meta);
  }
  if (put.id != nullptr) new_ids_.emplace_back(put.id, change.id);
  const bool is_staged = staging_.Find(index) != nullptr;
  if (!is_staged) change.data = put.data;
  KVFS_TRY(Do(change));
  return is_staged ? WriteStaged(index, put, change.id, std::nullopt) : Result<void>();
}

Result<void> BatchResolver::WriteStaged(size_t index, const Operation& operation, uint64_t id,
                                        std::optional<std::string_view> meta) {
  const Staging::Write& staged = *staging_.Find(index);
  if (staged.owner != placement_.OwnerOf(id)) {
    wanted_owners_[index] = placement_.OwnerOf(id);
    return Fail(kRetry);
  }
  const BlockSplit split = BlockSplit::Of(operation.offset, operation.data.size());
  auto write = [&](uint64_t offset, Bytes data) -> Result<void> {
    if (data.empty()) return {};
    Change change = ChangeOf(Kind::kWrite, operation.key);
    change.offset = offset;
    change.data = data;
    return Do(change);
  };
  KVFS_TRY(write(operation.offset, operation.data.first(split.head)));
  Change blocks = ChangeOf(Kind::kWriteBlocks, operation.key);
  blocks.offset = operation.offset + split.head;
  blocks.owner = staged.owner;
  blocks.data = staged.pointers;
  blocks.meta = meta;
  KVFS_TRY(Do(blocks));
  return write(blocks.offset + split.middle, operation.data.last(split.tail));
}

Result<void> BatchResolver::ResolveRestore(const Operation& restore) {
  KVFS_ASSIGN(const auto state, StateOf(places_->at));
  if (state) return Fail(ErrorCode::kExists);
  KVFS_TRY(CheckMeta(*restore.meta));
  grows_ = true;
  Change change = ChangeOf(Kind::kPut, restore.key);
  change.found = Change::Found::kAbsent;
  change.id = restore.offset;
  change.meta = restore.meta;
  KVFS_TRY(Do(change));
  KVFS_TRY(NoteId(restore.offset));
  return NoteId(restore.key.directory);
}

// Ids assigned from now on are above it.
Result<void> BatchResolver::NoteId(uint64_t id) {
  if (id < kFirstId) return {};
  const uint32_t owner = placement_.OwnerOf(id);
  KVFS_TRY(transaction_.NeedShard(owner));
  transaction_.NoteId(owner, id);
  return {};
}

Result<void> BatchResolver::ResolveErase(const Operation& erase) {
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  Change change = ChangeOf(Kind::kErase, erase.key);
  change.found = FoundOf(state);
  return Do(change);
}

Result<void> BatchResolver::ResolveWrite(size_t index, const Operation& write) {
  KVFS_TRY(CheckRange(write.offset, write.data.size()));
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  if (write.at_end && state.entry.size != write.offset) return Fail(ErrorCode::kConflict);
  Change change = ChangeOf(Kind::kWrite, write.key);
  KVFS_TRY(AddMeta(write.edit, state.entry.meta, &change.meta));
  if (write.data.empty()) {
    change.kind = Kind::kMeta;
    return change.meta ? Do(change) : Result<void>();
  }
  grows_ = true;
  if (staging_.Find(index) != nullptr)
    return WriteStaged(index, write, state.entry.id, change.meta);
  change.offset = write.offset;
  change.data = write.data;
  return Do(change);
}

Result<void> BatchResolver::ResolveResize(const Operation& resize) {
  KVFS_TRY(CheckRange(resize.offset, 0));
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  Change change = ChangeOf(Kind::kResize, resize.key);
  change.size = resize.offset;
  KVFS_TRY(AddMeta(resize.edit, state.entry.meta, &change.meta));
  grows_ |= change.size > state.entry.size;
  return Do(change);
}

Result<void> BatchResolver::ResolveRange(const Operation& range) {
  KVFS_TRY(CheckRange(range.offset, range.length));
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  const bool is_punch = range.kind == Operation::Kind::kPunch;
  Change change = ChangeOf(is_punch ? Kind::kPunch : Kind::kAllocate, range.key);
  KVFS_TRY(AddMeta(range.edit, state.entry.meta, &change.meta));
  change.offset = std::min(range.offset, state.entry.size);
  change.length = std::min(range.length, state.entry.size - change.offset);
  grows_ |= !is_punch;
  return Do(change);
}

Result<void> BatchResolver::ResolveMove(const Operation& move) {
  KVFS_TRY(CheckKey(move.to));
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  if (move.if_present == Batch::IfPresent::kRefuse && move.to != move.key) {
    KVFS_ASSIGN(const auto present, StateOf(places_->to));
    if (present) return Fail(ErrorCode::kExists);
  }
  Change change = ChangeOf(Kind::kMove, move.key);
  change.to_directory = move.to.directory;
  change.to_name = move.to.name;
  KVFS_TRY(AddMeta(move.edit, state.entry.meta, &change.meta));
  return Do(change);
}

Result<void> BatchResolver::ResolveExchange(const Operation& exchange) {
  KVFS_TRY(CheckKey(exchange.to));
  KVFS_ASSIGN(const Present one, Existing(places_->at));
  KVFS_ASSIGN(const Present other, Existing(places_->to));
  Change change = ChangeOf(Kind::kExchange, exchange.key);
  change.to_directory = exchange.to.directory;
  change.to_name = exchange.to.name;
  KVFS_TRY(AddMeta(exchange.edit, one.entry.meta, &change.meta));
  KVFS_TRY(AddMeta(exchange.to_edit, other.entry.meta, &change.to_meta));
  return Do(change);
}

Result<void> BatchResolver::ResolveTakeContent(const Operation& take) {
  KVFS_TRY(CheckKey(take.to));
  KVFS_ASSIGN(const Present taker, Existing(places_->at));
  KVFS_ASSIGN(const Present giver, Existing(places_->to));
  if (take.key == take.to ||
      placement_.OwnerOf(taker.entry.id) != placement_.OwnerOf(giver.entry.id)) {
    return Fail(ErrorCode::kInvalid, "the entry cannot take the content of that other one");
  }
  Change change = ChangeOf(Kind::kTakeContent, take.key);
  change.to_directory = take.to.directory;
  change.to_name = take.to.name;
  KVFS_TRY(AddMeta(take.edit, taker.entry.meta, &change.meta));
  return Do(change);
}

Result<void> BatchResolver::ResolveEditMeta(const Operation& edit) {
  KVFS_ASSIGN(const Present state, Existing(places_->at));
  Change change = ChangeOf(Kind::kMeta, edit.key);
  KVFS_TRY(AddMeta(edit.edit, state.entry.meta, &change.meta));
  return Do(change);
}

Result<void> BatchResolver::ResolveExpect(const Operation& expect) {
  KVFS_TRY(transaction_.NeedShard(places_->at.shard));
  auto found = transaction_.FindCommitted(places_->at.shard, places_->at.key);
  const bool is_absent = !found && found.error().code == ErrorCode::kNotFound;
  if (!found && !is_absent) return tl::unexpected(std::move(found).error());
  if (expect.offset == Batch::kAbsent) return is_absent ? Result<void>() : Fail(ErrorCode::kExists);
  if (is_absent) return Fail(ErrorCode::kNotFound);
  if (found->version == expect.offset) return {};
  return Fail(ErrorCode::kConflict, "the entry has version " + std::to_string(found->version) +
                                        ", not " + std::to_string(expect.offset));
}

}  // namespace kvfs
