// The records of one shard that an epoch has changed, in memory: sorted by key, each with the
// versions that snapshots may still need.
//
// A new value replaces the previous one, unless a snapshot may need that: then both stay, the newer
// one first. Nothing is ever removed; an erased record is a version without a value. So memory only
// grows, about as much as the log, until the epoch's checkpoint has written everything to a tree
// and the memtable is dropped as a whole.
//
// The index is a B+tree to which keys are only added. Records of one position (equal hashes, or the
// versions of a name) hang in lists below it.
//
// Threads: Put needs the shard's lock exclusive; the rest needs it shared as long as Put may be
// called. bytes() and count() need none.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "store/format/leaf.h"

namespace kvfs {

class Memtable {
 public:
  static constexpr uint64_t kNewest = ~uint64_t{0};

  // One version of one record. Name and value follow it in memory.
  class Record {
   public:
    format::RecordKey key() const { return {directory_, position_, name()}; }
    std::string_view name() const { return {Text(), name_bytes_}; }
    uint64_t version() const { return version_; }
    bool is_erased() const { return is_erased_; }
    Bytes value() const {
      return {reinterpret_cast<const std::byte*>(Text()) + name_bytes_, value_bytes_};
    }

   private:
    friend class Memtable;
    // Maximum size of the record in a leaf.
    size_t LeafBytes() const {
      return is_erased_ ? 0 : format::MostLeafRecordBytes({key(), version_, value()});
    }
    const char* Text() const { return reinterpret_cast<const char*>(this + 1); }
    std::byte* ValueBytes() { return reinterpret_cast<std::byte*>(this + 1) + name_bytes_; }

    uint64_t directory_;
    uint64_t position_;
    uint64_t version_;
    Record* older_;      // of the same name
    Record* next_name_;  // the next greater name at the same position
    uint32_t value_bytes_;
    uint32_t room_bytes_;  // for a value
    uint8_t name_bytes_;
    bool is_erased_;
  };

  Memtable();
  ~Memtable();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // The newest version of the record, up to the version `at`; null if the memtable has none.
  const Record* Find(const format::RecordKey& key, uint64_t at = kNewest) const;

  // The newest versions of up to kMostKeys records, null where the memtable has none. Faster than
  // one by one: the searches are interleaved, so their cache misses overlap.
  static constexpr size_t kMostKeys = 16;
  void FindEach(std::span<const format::RecordKey> keys, std::span<const Record*> found) const;

  // Sets the record's value, or erases the record. `version` is above the record's versions, or
  // equal to the newest, which is then replaced. Versions up to `keep` are kept.
  void Put(const format::RecordKey& key, uint64_t version, std::optional<Bytes> value,
           uint64_t keep);

  // Bytes of memory.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Number of records, and the maximum size of their newest versions in leaves.
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  size_t record_bytes() const { return record_bytes_.load(std::memory_order_relaxed); }

  // Walks the records as of one version in ascending order, including erased ones.
  class Iterator {
   public:
    Iterator(const Memtable* table, uint64_t at) : table_(table), at_(at) {}
    // Moves to the first record not below `key`.
    void Seek(const format::RecordKey& key);
    bool Valid() const { return record_ != nullptr; }
    const Record& record() const { return *record_; }
    void Next();

   private:
    void Settle();

    const Memtable* table_;
    uint64_t at_;
    const struct IndexLeaf* leaf_ = nullptr;
    uint32_t slot_ = 0;
    const Record* name_ = nullptr;    // its newest version
    const Record* record_ = nullptr;  // the version as of `at_`
  };

 private:
  struct Place {
    Record** link;  // the link to the record, or the one to set
    Record* found;  // null if the name is not there
  };
  Place PlaceOf(const format::RecordKey& key);
  static const Record* AsOf(const Record* record, uint64_t at);
  static const Record* Named(const Record* first, std::string_view name);
  Record* NewRecord(const format::RecordKey& key, size_t room_bytes);
  std::byte* Allocate(size_t size);

  std::unique_ptr<class MemtableIndex> index_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* free_begin_ = nullptr;
  std::byte* free_end_ = nullptr;
  size_t chunk_bytes_ = 0;
  std::atomic<size_t> bytes_ = 0;
  std::atomic<size_t> count_ = 0;
  std::atomic<size_t> record_bytes_ = 0;
};

}  // namespace kvfs
