// An entry is loaded into a draft of its own memory, changed there and stored again: nothing here
// keeps a view into a page across a change of the tree.
#include "store/applier.h"

#include <algorithm>

namespace kvfs {

using format::Change;
using format::Entry;
using Kind = format::Change::Kind;

namespace {

// Up to the end of the block in which `offset` lies.
uint64_t BlockEnd(uint64_t offset) {
  return (offset + format::kBlockBytes - 1) / format::kBlockBytes * format::kBlockBytes;
}

}  // namespace

// An entry under change. The inline content is owned.
struct Applier::Draft {
  bool exists = false;
  uint64_t id = 0;
  uint64_t size = 0;
  uint64_t blocks = 0;
  std::string meta;
  std::vector<std::byte> content;  // if size <= limit
  uint64_t limit = 0;

  bool IsInline() const { return size <= limit; }
};

void Applier::AddContentNeeds(uint64_t id, uint64_t bytes, uint64_t blocks,
                              NeedsByShard* needs) const {
  Needs& home = (*needs)[placement_->HomeOf(id)];
  home.pages += HomeOf(id).PagesFor(bytes);
  home.blocks += blocks;
}

void Applier::AddNeeds(const Change& change, Present entry, Present replaced,
                       NeedsByShard* needs) const {
  auto add_record = [&](std::string_view name) {
    const uint32_t shard = placement_->ShardOf(placement_->PositionOf(name));
    (*needs)[shard].pages += (*shards_)[shard]->PagesPerChange();
  };
  const uint64_t limit = shards_->front()->inline_limit();
  const bool has_blocks = entry.size > limit;
  const uint64_t spilled = has_blocks ? 0 : Contents::BlocksFor(limit);
  add_record(change.name);
  switch (change.kind) {
    case Kind::kMeta:
      break;
    case Kind::kMove:
      add_record(change.to_name);
      if (replaced.size > limit) AddContentNeeds(replaced.id, 0, 0, needs);
      break;
    case Kind::kWrite:
      if (has_blocks || change.offset + change.data.size() > limit) {
        const uint64_t blocks = Contents::BlocksFor(change.data.size());
        AddContentNeeds(entry.id, change.data.size(), blocks + spilled, needs);
      }
      break;
    case Kind::kWriteBlocks:
      AddContentNeeds(entry.id, change.BlockCount() * uint64_t{format::kBlockBytes}, 0, needs);
      break;
    case Kind::kResize:
      if (has_blocks || change.size > limit) AddContentNeeds(entry.id, 0, 1 + spilled, needs);
      break;
    case Kind::kPunch:
      if (has_blocks) AddContentNeeds(entry.id, 0, 2, needs);
      break;
    case Kind::kPut:
    case Kind::kErase:
      if (has_blocks) AddContentNeeds(entry.id, 0, 0, needs);
  }
}

Result<void> Applier::Check(const Change& change) const {
  auto ends_within = [](uint64_t begin, uint64_t length) {
    return begin <= kMaxContentBytes && length <= kMaxContentBytes - begin;
  };
  const uint64_t blocks_bytes = change.BlockCount() * uint64_t{format::kBlockBytes};
  const bool is_blocks = change.kind == Kind::kWriteBlocks;
  const bool sound =
      !change.name.empty() && (change.kind != Kind::kMove || !change.to_name.empty()) &&
      change.space < format::kFirstOwnSpace && change.to_space < format::kFirstOwnSpace &&
      change.id <= format::kMaxId && change.size <= kMaxContentBytes &&
      ends_within(change.offset, std::max(change.length, blocks_bytes)) &&
      ends_within(change.offset, change.data.size()) &&
      (is_blocks ? change.offset % format::kBlockBytes == 0 &&
                       change.data.size() % format::BlockPointer::kBytes == 0
                 : change.data.size() <= Contents::kMaxDataBytes) &&
      (change.kind != Kind::kPut ||
       (change.id >= kFirstId && change.data.size() <= shards_->front()->inline_limit()));
  if (!sound) return Fail(ErrorCode::kCorrupt, "a log record holds an impossible change");
  return {};
}

Applier::Place Applier::PlaceOf(uint64_t space, std::string_view name) const {
  const format::RecordKey key = placement_->RecordKeyOf(space, name);
  return {key, (*shards_)[placement_->ShardOf(key.position)].get()};
}

Result<Entry> Applier::Find(uint64_t space, std::string_view name) const {
  const Place place = PlaceOf(space, name);
  return place.shard->Find(place.key);
}

Result<Applier::Draft> Applier::Load(const Place& place) const {
  Draft draft;
  draft.limit = place.shard->inline_limit();
  auto entry = place.shard->Find(place.key);
  if (!entry) {
    if (entry.error().code == ErrorCode::kNotFound) return draft;
    return tl::unexpected(std::move(entry).error());
  }
  draft.exists = true;
  draft.id = entry->id;
  draft.size = entry->size;
  draft.blocks = entry->blocks;
  draft.meta = entry->meta;
  draft.content.assign(entry->content.begin(), entry->content.end());
  return draft;
}

Result<void> Applier::Save(const Place& place, const Draft& draft) {
  return place.shard->Store(place.key,
                            {draft.id, draft.size, draft.meta, draft.content, draft.blocks});
}

// Frees the content's blocks. What a damaged chunk or page hides is lost to the space map, and no
// reason to refuse the change.
Result<void> Applier::EraseContent(Draft& draft) {
  if (!draft.IsInline()) {
    auto punched = HomeOf(draft.id).Punch(draft.id, 0, BlockEnd(draft.size), &draft.blocks);
    if (!punched && punched.error().code != ErrorCode::kCorrupt) return punched;
  }
  draft.size = 0;
  draft.blocks = 0;
  draft.content.clear();
  return {};
}

// Moves an inline content into blocks; the caller then sets a size above the limit.
Result<void> Applier::Spill(Draft& draft) {
  KVFS_TRY(HomeOf(draft.id).Write(draft.id, 0, draft.content, &draft.blocks));
  draft.content.clear();
  return {};
}

Result<void> Applier::Write(Draft& draft, uint64_t offset, Bytes data) {
  const uint64_t size = std::max(draft.size, offset + data.size());
  if (size <= draft.limit) {
    draft.content.resize(size);
    CopyBytes(draft.content.data() + offset, data);
    draft.size = size;
    return {};
  }
  if (draft.IsInline()) KVFS_TRY(Spill(draft));
  draft.size = size;
  return HomeOf(draft.id).Write(draft.id, offset, data, &draft.blocks);
}

Result<void> Applier::PlaceBlocks(Draft& draft, const Change& change) {
  const uint64_t end = change.offset + change.BlockCount() * uint64_t{format::kBlockBytes};
  if (draft.IsInline() || placement_->HomeOf(change.id) != placement_->HomeOf(draft.id)) {
    return Fail(ErrorCode::kCorrupt, "a log record places blocks where none can be");
  }
  const uint32_t home = placement_->HomeOf(draft.id);
  for (size_t i = 0; i < change.BlockCount(); ++i) {
    KVFS_TRY((*shards_)[home]->block_space().Mark(change.Block(i).number));
  }
  draft.size = std::max(draft.size, end);
  return HomeOf(draft.id).PlaceBlocks(draft.id, change, &draft.blocks);
}

Result<void> Applier::Resize(Draft& draft, uint64_t size) {
  Contents& home = HomeOf(draft.id);
  const uint64_t old_size = draft.size;
  const bool was_inline = draft.IsInline(), is_inline = size <= draft.limit;
  if (was_inline && is_inline) {
    draft.content.resize(size);
  } else if (was_inline) {
    KVFS_TRY(Spill(draft));
  } else if (is_inline) {
    draft.content.resize(size);
    KVFS_TRY(home.Read(draft.id, 0, draft.content));
    std::vector<std::byte> kept = std::move(draft.content);
    KVFS_TRY(EraseContent(draft));
    draft.content = std::move(kept);
  } else if (size < old_size) {
    KVFS_TRY(home.Punch(draft.id, size, BlockEnd(old_size) - size, &draft.blocks));
  }
  draft.size = size;
  return {};
}

Result<void> Applier::Punch(Draft& draft, uint64_t offset, uint64_t length) {
  if (offset >= draft.size) return {};
  length = std::min(length, draft.size - offset);
  if (!draft.IsInline()) {
    const uint64_t end = offset + length;
    const uint64_t to = end == draft.size ? BlockEnd(end) : end;
    return HomeOf(draft.id).Punch(draft.id, offset, to - offset, &draft.blocks);
  }
  std::fill_n(draft.content.begin() + static_cast<ptrdiff_t>(offset), length, std::byte{0});
  return {};
}

Result<void> Applier::Put(const Change& change) {
  const Place place = PlaceOf(change.space, change.name);
  KVFS_ASSIGN(Draft draft, Load(place));
  KVFS_TRY(EraseContent(draft));
  if (!draft.exists) place.shard->CountEntries(+1);
  draft.id = change.id;
  draft.meta = change.meta.value_or(std::string_view{});
  draft.size = change.data.size();
  draft.content.assign(change.data.begin(), change.data.end());
  return Save(place, draft);
}

Result<void> Applier::Erase(uint64_t space, std::string_view name) {
  const Place place = PlaceOf(space, name);
  KVFS_ASSIGN(Draft draft, Load(place));
  if (!draft.exists) return {};
  KVFS_TRY(EraseContent(draft));
  place.shard->CountEntries(-1);
  return place.shard->EraseRecord(place.key);
}

Result<void> Applier::Move(const Change& change) {
  const Place from = PlaceOf(change.space, change.name);
  const Place to = PlaceOf(change.to_space, change.to_name);
  KVFS_ASSIGN(Draft draft, Load(from));
  if (!draft.exists) return {};
  if (change.meta) draft.meta = *change.meta;
  if (from.key == to.key) return Save(to, draft);
  KVFS_TRY(Erase(change.to_space, change.to_name));
  KVFS_TRY(from.shard->EraseRecord(from.key));
  from.shard->CountEntries(-1);
  to.shard->CountEntries(+1);
  return Save(to, draft);
}

// The changes of one entry that stays where it is.
Result<void> Applier::Edit(const Change& change) {
  const Place place = PlaceOf(change.space, change.name);
  KVFS_ASSIGN(Draft draft, Load(place));
  if (!draft.exists) return {};
  if (change.meta) draft.meta = *change.meta;
  if (change.kind == Kind::kWrite) KVFS_TRY(Write(draft, change.offset, change.data));
  if (change.kind == Kind::kWriteBlocks) KVFS_TRY(PlaceBlocks(draft, change));
  if (change.kind == Kind::kResize) KVFS_TRY(Resize(draft, change.size));
  if (change.kind == Kind::kPunch) KVFS_TRY(Punch(draft, change.offset, change.length));
  return Save(place, draft);
}

Result<void> Applier::Apply(const Change& change) {
  switch (change.kind) {
    case Kind::kPut:
      return Put(change);
    case Kind::kErase:
      return Erase(change.space, change.name);
    case Kind::kMove:
      return Move(change);
    default:
      return Edit(change);
  }
}

}  // namespace kvfs
