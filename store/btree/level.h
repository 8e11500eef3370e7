// The differences between the levels of a tree for the level writer: leaves hold records, branches
// hold keys and page pointers.
#pragma once

#include <optional>
#include <span>

#include "store/btree/pages.h"

namespace kvfs {

// A change of one record of a leaf: a new value, or its removal.
struct TreeChange {
  format::RecordKey key;
  uint64_t version = 0;
  bool is_erased = false;
  Bytes value;
};

// The same for a branch.
struct BranchChange {
  format::RecordKey key;
  std::optional<format::PagePointer> child;
  uint32_t count = 0;  // records of the child
};

struct LeafLevel {
  using Record = format::LeafRecord;
  using Change = TreeChange;

  static bool IsErased(const Change& change) { return change.is_erased; }
  static Record ToRecord(const Change& change) {
    return {change.key, change.version, change.value};
  }
  // Bytes of the record in a page, after the record `before` (null: as the first one).
  static uint32_t BytesOf(const Record& record, const Record* before) {
    const bool begins_group = before == nullptr || before->key.directory != record.key.directory;
    return format::LeafRecordBytes(record) + (begins_group ? format::kLeafGroupBytes : 0);
  }
  static bool IsNumbered(const Record& record) { return record.key.name.empty(); }
  // A separator key: above the key of `before` and not above that of `first`. It has no name,
  // unless only the names differ.
  static format::RecordKey KeyOf(const Record* before, const Record& first) {
    const format::RecordKey bare{first.key.directory, first.key.position, {}};
    return before == nullptr || before->key < bare ? bare : first.key;
  }
  template <typename Visit>
  static void ForEach(const Pages& pages, format::PageView page, Visit visit) {
    const format::LeafView leaf = pages.AsLeaf(page);
    for (uint32_t i = 0; i < leaf.count(); ++i) visit(leaf.Record(i));
  }
  static void Encode(std::span<const Record> records, uint8_t flags, format::PagePointer self,
                     uint64_t seed, MutableBytes page) {
    format::EncodeLeaf(records, flags, self, seed, page);
  }
};

struct BranchLevel {
  using Record = format::BranchRecord;
  using Change = BranchChange;

  static bool IsErased(const Change& change) { return !change.child; }
  static Record ToRecord(const Change& change) { return {change.key, *change.child, change.count}; }
  static uint32_t BytesOf(const Record& record, const Record*) {
    return format::BranchRecordBytes(record);
  }
  static bool IsNumbered(const Record&) { return false; }
  static format::RecordKey KeyOf(const Record*, const Record& first) { return first.key; }
  template <typename Visit>
  static void ForEach(const Pages&, format::PageView page, Visit visit) {
    const format::BranchView branch(page);
    for (uint32_t i = 0; i < branch.count(); ++i) {
      visit(Record{branch.Key(i), branch.Child(i), branch.Count(i)});
    }
  }
  static void Encode(std::span<const Record> records, uint8_t, format::PagePointer self,
                     uint64_t seed, MutableBytes page) {
    format::EncodeBranch(records, self, seed, page);
  }
};

}  // namespace kvfs
