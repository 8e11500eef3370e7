// One function an operation. Of several operations each sees what the ones before it will do,
// through `changed_`; a single one, the usual case, needs none of that.
#include "store/planner.h"

#include <algorithm>

namespace kvfs {

using format::Change;
using Kind = format::Change::Kind;

namespace {

Change ChangeOf(Kind kind, Key key) {
  Change change;
  change.kind = kind;
  change.space = key.space;
  change.name = key.name;
  return change;
}

Result<void> CheckKey(Key key) {
  if (key.name.empty() || key.name.size() > kMaxNameBytes) {
    return Fail(ErrorCode::kInvalid,
                "a name must have 1 to 255 bytes, not " + std::to_string(key.name.size()));
  }
  if (key.space >= format::kFirstOwnSpace) {
    return Fail(ErrorCode::kInvalid, "a space must be below 2^63");
  }
  return {};
}

Result<void> CheckRange(uint64_t offset, uint64_t length) {
  if (offset > kMaxContentBytes || length > kMaxContentBytes - offset) {
    return Fail(ErrorCode::kInvalid, "a content ends below 2^63 bytes");
  }
  return {};
}

}  // namespace

Result<Plan> Planner::Make(const Batch& batch) {
  several_ = batch.operations().size() > 1;
  for (size_t i = 0; i < batch.operations().size(); ++i) {
    KVFS_TRY(PlanOne(i, batch.operations()[i]));
  }
  return std::move(plan_);
}

Result<void> Planner::PlanOne(size_t index, const Operation& operation) {
  KVFS_TRY(CheckKey(operation.key));
  switch (operation.kind) {
    case Operation::Kind::kPut:
      return PlanPut(index, operation);
    case Operation::Kind::kErase:
      return PlanErase(operation);
    case Operation::Kind::kWrite:
      return PlanWrite(index, operation);
    case Operation::Kind::kResize:
      return PlanResize(operation);
    case Operation::Kind::kPunch:
      return PlanPunch(operation);
    case Operation::Kind::kMove:
      return PlanMove(operation);
    case Operation::Kind::kEditMeta:
      return PlanEditMeta(operation);
  }
  return Fail(ErrorCode::kInvalid, "an operation of no known kind");
}

Result<Planner::State> Planner::StateOf(Key key) const {
  if (several_) {
    auto changed = changed_.find({key.space, key.name});
    if (changed != changed_.end()) return changed->second;
  }
  auto entry = applier_.Find(key.space, key.name);
  if (!entry) {
    if (entry.error().code == ErrorCode::kNotFound) return State{};
    return tl::unexpected(std::move(entry).error());
  }
  return State{{entry->id, entry->size}, std::string(entry->meta)};
}

Result<Planner::State> Planner::Existing(Key key) const {
  KVFS_ASSIGN(State state, StateOf(key));
  if (!state.exists()) return Fail(ErrorCode::kNotFound);
  return state;
}

void Planner::Remember(Key key, const State& state) {
  if (several_) changed_[{key.space, key.name}] = state;
}

// Applies the edit to the state's meta, and has the change carry the result.
Result<void> Planner::AddMeta(const MetaEdit& edit, State* state, Change* change) {
  if (!edit) return {};
  edit(state->meta);
  if (state->meta.size() > kMaxMetaBytes) {
    return Fail(ErrorCode::kTooLarge, "an entry's meta must have at most 255 bytes");
  }
  change->meta = plan_.metas.emplace_back(state->meta);
  return {};
}

// Before a change that touches blocks: true if the lock of their shard is held.
bool Planner::NeedHome(Present entry, uint64_t new_size) {
  const uint64_t limit = shards_.front()->inline_limit();
  const uint32_t home = placement_.HomeOf(entry.id);
  if ((entry.size <= limit && new_size <= limit) || locks_.Has(home)) return true;
  plan_.missing_locks.set(home);
  return false;
}

void Planner::Add(const Change& change, Present entry, Present replaced) {
  // Without all locks the needs can not be known, nor are they wanted.
  if (plan_.IsComplete()) applier_.AddNeeds(change, entry, replaced, &plan_.needs);
  plan_.changes.push_back(change);
}

Result<void> Planner::PlanPut(size_t index, const Operation& put) {
  KVFS_ASSIGN(State state, StateOf(put.key));
  if (state.exists() && put.if_present == Batch::IfPresent::kRefuse) {
    return Fail(ErrorCode::kExists);
  }
  if (put.meta && put.meta->size() > kMaxMetaBytes) {
    return Fail(ErrorCode::kTooLarge, "an entry's meta must have at most 255 bytes");
  }
  NeedHome(state.present, state.present.size);
  Change change = ChangeOf(Kind::kPut, put.key);
  change.id = state.present.id;
  if (!state.exists()) {
    change.id = shards_[placement_.ShardOf(placement_.PositionOf(put.key.name))]->TakeId();
  }
  if (put.meta) state.meta = *put.meta;
  change.meta = plan_.metas.emplace_back(state.meta);
  const bool fits = put.data.size() <= shards_.front()->inline_limit();
  if (fits) change.data = put.data;
  Add(change, state.present);
  if (put.id != nullptr) plan_.new_ids.emplace_back(put.id, change.id);
  plan_.grows = true;
  state.present = {change.id, change.data.size()};
  if (!fits) {
    return AddWrites(index, put.key, 0, put.data, &state, ChangeOf(Kind::kWrite, put.key));
  }
  Remember(put.key, state);
  return {};
}

Result<void> Planner::PlanErase(const Operation& erase) {
  KVFS_ASSIGN(State state, Existing(erase.key));
  NeedHome(state.present, 0);
  Add(ChangeOf(Kind::kErase, erase.key), state.present);
  Remember(erase.key, {});
  return {};
}

Result<void> Planner::PlanWrite(size_t index, const Operation& write) {
  KVFS_TRY(CheckRange(write.offset, write.data.size()));
  KVFS_ASSIGN(State state, Existing(write.key));
  Change last = ChangeOf(Kind::kWrite, write.key);
  KVFS_TRY(AddMeta(write.edit, &state, &last));
  plan_.grows = true;
  return AddWrites(index, write.key, write.offset, write.data, &state, last);
}

Result<void> Planner::AddWrites(size_t index, Key key, uint64_t offset, Bytes data, State* state,
                                Change last) {
  if (data.empty()) {
    last.kind = Kind::kMeta;
    if (last.meta) Add(last, state->present);
    Remember(key, *state);
    return {};
  }
  const uint64_t size = std::max(state->present.size, offset + data.size());
  const bool home_locked = NeedHome(state->present, size);
  if (home_locked && state->present.size > shards_.front()->inline_limit()) {
    const Contents& home = shards_[placement_.HomeOf(state->present.id)]->contents();
    KVFS_TRY(home.CheckRange(state->present.id, offset, data.size()));
  }
  const Staging::Write* staged = staging_.Find(index);
  std::vector<Change> pieces;
  if (staged == nullptr) {
    pieces.push_back(ChangeOf(Kind::kWrite, key));
    pieces.back().offset = offset;
    pieces.back().data = data;
  } else {
    if (staged->home != placement_.HomeOf(state->present.id)) {
      plan_.wanted_homes[index] = placement_.HomeOf(state->present.id);
    }
    const BlockSplit split = BlockSplit::Of(offset, data.size());
    auto add_piece = [&](Kind kind, uint64_t at, Bytes bytes) {
      if (bytes.empty()) return;
      pieces.push_back(ChangeOf(kind, key));
      pieces.back().offset = at;
      pieces.back().data = bytes;
      pieces.back().id = state->present.id;
    };
    if (state->present.size <= shards_.front()->inline_limit()) {
      // Into blocks as a whole first, since the pieces alone might still lie inline.
      pieces.push_back(ChangeOf(Kind::kResize, key));
      pieces.back().size = size;
    }
    add_piece(Kind::kWrite, offset, data.first(split.head));
    add_piece(Kind::kWriteBlocks, offset + split.head, staged->pointers);
    add_piece(Kind::kWrite, offset + split.head + split.middle, data.last(split.tail));
  }
  pieces.back().meta = last.meta;
  for (const Change& piece : pieces) {
    Add(piece, state->present);
    state->present.size = size;
  }
  Remember(key, *state);
  return {};
}

Result<void> Planner::PlanResize(const Operation& resize) {
  KVFS_TRY(CheckRange(resize.offset, 0));
  KVFS_ASSIGN(State state, Existing(resize.key));
  Change change = ChangeOf(Kind::kResize, resize.key);
  change.size = resize.offset;
  KVFS_TRY(AddMeta(resize.edit, &state, &change));
  const uint64_t limit = shards_.front()->inline_limit();
  const Present& present = state.present;
  // Within a batch the content may not be there yet to be looked at.
  if (NeedHome(present, change.size) && present.size > limit && change.size < present.size) {
    const Contents& home = shards_[placement_.HomeOf(present.id)]->contents();
    KVFS_TRY(home.CheckRange(present.id, change.size, present.size - change.size));
    if (change.size <= limit) {
      std::vector<std::byte> kept(change.size);
      KVFS_TRY(home.Read(present.id, 0, kept));
    }
  }
  Add(change, present);
  plan_.grows |= change.size > present.size;
  state.present.size = change.size;
  Remember(resize.key, state);
  return {};
}

Result<void> Planner::PlanPunch(const Operation& punch) {
  KVFS_TRY(CheckRange(punch.offset, punch.length));
  KVFS_ASSIGN(State state, Existing(punch.key));
  const Present& present = state.present;
  Change change = ChangeOf(Kind::kPunch, punch.key);
  KVFS_TRY(AddMeta(punch.edit, &state, &change));
  change.offset = std::min(punch.offset, present.size);
  change.length = std::min(punch.length, present.size - change.offset);
  if (NeedHome(present, present.size) && present.size > shards_.front()->inline_limit()) {
    const Contents& home = shards_[placement_.HomeOf(present.id)]->contents();
    KVFS_TRY(home.CheckRange(present.id, change.offset, change.length));
  }
  Add(change, present);
  Remember(punch.key, state);
  return {};
}

Result<void> Planner::PlanMove(const Operation& move) {
  KVFS_TRY(CheckKey(move.to));
  KVFS_ASSIGN(State state, Existing(move.key));
  Change change = ChangeOf(Kind::kMove, move.key);
  change.to_space = move.to.space;
  change.to_name = move.to.name;
  KVFS_TRY(AddMeta(move.edit, &state, &change));
  State replaced;
  if (move.to != move.key) {
    KVFS_ASSIGN(replaced, StateOf(move.to));
    NeedHome(replaced.present, 0);
  }
  Add(change, state.present, replaced.present);
  Remember(move.key, {});
  Remember(move.to, state);
  return {};
}

Result<void> Planner::PlanEditMeta(const Operation& edit) {
  KVFS_ASSIGN(State state, Existing(edit.key));
  Change change = ChangeOf(Kind::kMeta, edit.key);
  KVFS_TRY(AddMeta(edit.edit, &state, &change));
  Add(change, state.present);
  Remember(edit.key, state);
  return {};
}

}  // namespace kvfs
