// A three-way merge: the active memtable takes precedence over the closed one, and both over the
// tree.
#include "store/shard/record_cursor.h"

namespace kvfs {

using format::RecordKey;

namespace {

constexpr size_t kBatchRecords = 64;
constexpr size_t kBatchBytes = size_t{32} << 10;

}  // namespace

RecordCursor::RecordCursor(ShardPin pin, uint64_t at, RankedSharedMutex* lock)
    : pin_(std::move(pin)), at_(at), lock_(lock), tree_(pin_.tree->tree) {}

void RecordCursor::Seek(const RecordKey& key, uint64_t last_directory) {
  last_directory_ = last_directory;
  tree_.Seek(key);
  CopyBatch(key, /*is_inclusive=*/true);
  Settle();
}

// Copies the next records of the memtables, from `from` on.
void RecordCursor::CopyBatch(const RecordKey& from, bool is_inclusive) {
  std::vector<Copy> copies;
  std::optional<SharedLock<RankedSharedMutex>> lock;
  if (lock_ != nullptr) lock.emplace(*lock_);
  Memtable::Iterator active(pin_.active.get(), at_), closed(pin_.closed.get(), at_);
  active.Seek(from);
  if (pin_.closed != nullptr) closed.Seek(from);
  size_t bytes = 0;
  is_memory_done_ = false;
  while (copies.size() < kBatchRecords && bytes < kBatchBytes) {
    const bool has_closed = pin_.closed != nullptr && closed.Valid();
    if (!active.Valid() && !has_closed) {
      is_memory_done_ = true;
      break;
    }
    const bool takes_active =
        active.Valid() && (!has_closed || active.record().key() <= closed.record().key());
    const Memtable::Record& record = takes_active ? active.record() : closed.record();
    const RecordKey key = record.key();
    if (key.directory > last_directory_) {
      is_memory_done_ = true;
      break;
    }
    if (is_inclusive || from < key) {
      copies.push_back({key.directory, key.position, std::string(key.name), record.version(),
                        record.is_erased(), std::string(AsText(record.value()))});
      bytes += key.name.size() + record.value().size();
    }
    if (takes_active && has_closed && closed.record().key() == key) closed.Next();
    if (takes_active) {
      active.Next();
    } else {
      closed.Next();
    }
  }
  copies_ = std::move(copies);
  next_copy_ = 0;
}

void RecordCursor::Refill() {
  const Copy last = std::move(copies_.back());
  CopyBatch(last.key(), /*is_inclusive=*/false);
}

// Moves both sources to the next record that is not erased.
void RecordCursor::Settle() {
  while (true) {
    if (!HasCopy() && !is_memory_done_ && !copies_.empty()) Refill();
    is_valid_ = HasCopy() || HasTreeRecord();
    if (!is_valid_) return;
    const Copy* copy = HasCopy() ? &copies_[next_copy_] : nullptr;
    is_from_memory_ = copy != nullptr && (!HasTreeRecord() || copy->key() <= tree_.Record().key);
    if (!is_from_memory_) {
      record_ = tree_.Record();
      return;
    }
    if (HasTreeRecord() && copy->key() == tree_.Record().key) tree_.Next();
    if (!copy->is_erased) {
      record_ = {copy->key(), copy->version, AsBytes(copy->value)};
      return;
    }
    ++next_copy_;
  }
}

void RecordCursor::Next() {
  if (is_from_memory_) {
    ++next_copy_;
  } else {
    tree_.Next();
  }
  Settle();
}

}  // namespace kvfs
