// What tells the levels of a tree apart when they are written: leaves hold records, branches hold
// keys and pages.
#pragma once

#include <optional>
#include <span>

#include "store/btree/pages.h"

namespace kvfs {

// What becomes of one record of a leaf: it gets a value, or goes.
struct TreeChange {
  format::RecordKey key;
  uint64_t version = 0;
  bool is_erased = false;
  Bytes value;
};

// The same of a branch.
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
  // What the record takes in a page, behind the one before it (null: as the first).
  static uint32_t BytesOf(const Record& record, const Record* before) {
    const bool begins_group = before == nullptr || before->key.directory != record.key.directory;
    return format::LeafRecordBytes(record) + (begins_group ? format::kLeafGroupBytes : 0);
  }
  static bool IsNumbered(const Record& record) { return record.key.name.empty(); }
  // A key above that of the record before and not above that of `first`: without a name, unless the
  // name alone tells them apart.
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
