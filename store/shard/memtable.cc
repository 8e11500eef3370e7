// Records in large chunks of memory, and the lists below the index.
#include "store/shard/memtable.h"

#include <algorithm>
#include <array>
#include <new>

#include "store/shard/memtable_index.h"

namespace kvfs {

using format::RecordKey;

namespace {

constexpr size_t kFirstChunkBytes = size_t{4} << 10;
constexpr size_t kMaxChunkBytes = size_t{1} << 20;

IndexKey IndexKeyOf(const RecordKey& key) { return {key.directory, key.position}; }

}  // namespace

Memtable::Memtable() : index_(std::make_unique<MemtableIndex>()) {}
Memtable::~Memtable() = default;

const Memtable::Record* Memtable::AsOf(const Record* record, uint64_t at) {
  while (record != nullptr && record->version_ > at) record = record->older_;
  return record;
}

// Finds the name among the records at one position, which are ordered by name.
const Memtable::Record* Memtable::Named(const Record* first, std::string_view name) {
  const Record* record = first;
  while (record != nullptr && record->name() < name) record = record->next_name_;
  return record != nullptr && record->name() == name ? record : nullptr;
}

const Memtable::Record* Memtable::Find(const RecordKey& key, uint64_t at) const {
  const IndexKey wanted = IndexKeyOf(key);
  const IndexLeaf* leaf = index_->LeafOf(wanted);
  const uint32_t slot = leaf->LowerBound(wanted);
  if (slot == leaf->count || leaf->keys[slot] != wanted) return nullptr;
  return AsOf(Named(leaf->records[slot], key.name), at);
}

void Memtable::FindEach(std::span<const RecordKey> keys, std::span<const Record*> found) const {
  std::array<IndexKey, kMostKeys> wanted;
  std::array<const IndexLeaf*, kMostKeys> leaves;
  std::array<uint32_t, kMostKeys> slots;
  for (size_t i = 0; i < keys.size(); ++i) wanted[i] = IndexKeyOf(keys[i]);
  index_->LeavesOf(std::span(wanted).first(keys.size()), leaves);
  for (size_t i = 0; i < keys.size(); ++i) {
    slots[i] = leaves[i]->LowerBound(wanted[i]);
    __builtin_prefetch(leaves[i]->records.data() + slots[i]);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool is_there = slots[i] < leaves[i]->count && leaves[i]->keys[slots[i]] == wanted[i];
    found[i] = is_there ? leaves[i]->records[slots[i]] : nullptr;
    __builtin_prefetch(found[i]);
  }
  for (size_t i = 0; i < keys.size(); ++i) found[i] = Named(found[i], keys[i].name);
}

Memtable::Place Memtable::PlaceOf(const RecordKey& key) {
  Record** link = index_->FindOrAdd(IndexKeyOf(key));
  while (*link != nullptr && (*link)->name() < key.name) link = &(*link)->next_name_;
  const bool is_there = *link != nullptr && (*link)->name() == key.name;
  return {link, is_there ? *link : nullptr};
}

void Memtable::Put(const RecordKey& key, uint64_t version, std::optional<Bytes> value,
                   uint64_t keep) {
  const Bytes bytes = value.value_or(Bytes{});
  const auto [link, found] = PlaceOf(key);
  const bool is_kept = found != nullptr && found->version_ <= keep && found->version_ != version;
  Record* record = found;
  if (found == nullptr || is_kept || found->room_bytes_ < bytes.size()) {
    record = NewRecord(key, bytes.size());
    record->next_name_ = found != nullptr ? found->next_name_ : *link;
    record->older_ = is_kept ? found : found != nullptr ? found->older_ : nullptr;
    *link = record;
  }
  count_.fetch_add(found == nullptr ? 1 : 0, std::memory_order_relaxed);
  const size_t before = found == nullptr ? 0 : found->LeafBytes();
  record->version_ = version;
  record->is_erased_ = !value;
  record->value_bytes_ = static_cast<uint32_t>(bytes.size());
  CopyBytes(record->ValueBytes(), bytes);
  record_bytes_.fetch_add(record->LeafBytes() - before, std::memory_order_relaxed);
  bytes_.store(chunk_bytes_ + index_->bytes(), std::memory_order_relaxed);
}

Memtable::Record* Memtable::NewRecord(const RecordKey& key, size_t room_bytes) {
  constexpr size_t kAlignment = alignof(Record);
  const size_t size = sizeof(Record) + key.name.size() + room_bytes;
  auto* record = new (Allocate((size + kAlignment - 1) / kAlignment * kAlignment)) Record;
  record->directory_ = key.directory;
  record->position_ = key.position;
  record->name_bytes_ = static_cast<uint8_t>(key.name.size());
  record->room_bytes_ = static_cast<uint32_t>(room_bytes);
  CopyBytes(reinterpret_cast<std::byte*>(record + 1), AsBytes(key.name));
  return record;
}

std::byte* Memtable::Allocate(size_t size) {
  if (static_cast<size_t>(free_end_ - free_begin_) < size) {
    const size_t doubled = kFirstChunkBytes << std::min<size_t>(chunks_.size(), 8);
    const size_t chunk = std::max(std::min(doubled, kMaxChunkBytes), size);
    free_begin_ = chunks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(chunk)).get();
    free_end_ = free_begin_ + chunk;
    chunk_bytes_ += chunk;
  }
  std::byte* begin = free_begin_;
  free_begin_ += size;
  return begin;
}

// Iterating.

void Memtable::Iterator::Seek(const RecordKey& key) {
  const IndexKey wanted = IndexKeyOf(key);
  leaf_ = table_->index_->LeafOf(wanted);
  slot_ = leaf_->LowerBound(wanted);
  name_ = nullptr;
  if (slot_ < leaf_->count) {
    name_ = leaf_->records[slot_];
    const bool is_same = leaf_->keys[slot_] == wanted;
    while (is_same && name_ != nullptr && name_->name() < key.name) name_ = name_->next_name_;
  }
  Settle();
}

void Memtable::Iterator::Next() {
  name_ = name_->next_name_;
  Settle();
}

// Moves to the next name, from the current one on, that has a version as of `at_`.
void Memtable::Iterator::Settle() {
  while (true) {
    while (name_ != nullptr) {
      record_ = AsOf(name_, at_);
      if (record_ != nullptr) return;
      name_ = name_->next_name_;
    }
    if (leaf_ != nullptr && slot_ < leaf_->count) ++slot_;
    while (leaf_ != nullptr && slot_ >= leaf_->count) {
      leaf_ = leaf_->next;
      slot_ = 0;
    }
    record_ = nullptr;
    if (leaf_ == nullptr) return;
    name_ = leaf_->records[slot_];
  }
}

}  // namespace kvfs
