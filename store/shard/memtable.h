// The records of one shard that an epoch has changed, in memory: sorted by key, each with the
// versions that somebody may still want to see.
//
// A value replaces the one before it, unless a snapshot may need that: then both stay, the newer
// one first. Nothing is ever removed; an erased record is a version without a value. So memory only
// grows, by about what the log grows by, until the epoch's checkpoint has made a tree of it all and
// the memtable is dropped as a whole.
//
// The index is a B+tree to which keys are only added. Records of one position (equal hashes, or the
// versions of a name) hang in lists below it.
//
// Threads: Put needs the shard's lock exclusive; the rest needs it shared as long as somebody may
// call Put. bytes() and count() need none.
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
    format::RecordKey key() const { return {space_, position_, name()}; }
    std::string_view name() const { return {Text(), name_bytes_}; }
    uint64_t version() const { return version_; }
    bool is_erased() const { return is_erased_; }
    Bytes value() const {
      return {reinterpret_cast<const std::byte*>(Text()) + name_bytes_, value_bytes_};
    }

   private:
    friend class Memtable;
    // What it takes in a leaf at most.
    size_t LeafBytes() const {
      return is_erased_ ? 0 : format::MostLeafRecordBytes({key(), version_, value()});
    }
    const char* Text() const { return reinterpret_cast<const char*>(this + 1); }
    std::byte* ValueBytes() { return reinterpret_cast<std::byte*>(this + 1) + name_bytes_; }

    uint64_t space_;
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

  // The newest version of the record that is not above `at`; null if the memtable has none.
  const Record* Find(const format::RecordKey& key, uint64_t at = kNewest) const;

  // The newest versions of up to kMostKeys records, null where the memtable has none. Faster than
  // one by one: the searches go in step, and wait for memory together.
  static constexpr size_t kMostKeys = 16;
  void FindEach(std::span<const format::RecordKey> keys, std::span<const Record*> found) const;

  // Gives the record a value, or erases it. `version` is above those the record has, or equal to
  // the newest, which is then replaced. Versions up to `keep` are kept.
  void Put(const format::RecordKey& key, uint64_t version, std::optional<Bytes> value,
           uint64_t keep);

  // Bytes of memory.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Records, and what their newest versions take in leaves at most.
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  size_t record_bytes() const { return record_bytes_.load(std::memory_order_relaxed); }

  // Walks the records as of one moment in ascending order, erased ones included.
  class Iterator {
   public:
    Iterator(const Memtable* table, uint64_t at) : table_(table), at_(at) {}
    // To the first record not below `key`.
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
    const Record* record_ = nullptr;  // the version as of the moment
  };

 private:
  struct Place {
    Record** link;  // what points to the record, or will
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
