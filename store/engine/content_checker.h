// Checks the trees' records: that each decodes and lies in the right shard; that the blocks it
// names exist, match their checksums and have no other owner; and that entries and chunks agree on
// each content.
//
// Memory: one bit for each block of the store, and some words for each content with chunks.
//
// Threads: one; the caller holds pins of all shards.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/alloc/check_session.h"
#include "store/format/block_list.h"
#include "store/format/leaf.h"
#include "store/shard/placement.h"
#include "store/shard/shard_set.h"

namespace kvfs {

class ContentChecker {
 public:
  // All must outlive the checker.
  ContentChecker(const Shards* shards, const Placement* placement, CheckSession* session);

  // Checks a record of the tree of `shard`.
  void VisitRecord(uint32_t shard, const format::LeafRecord& record);
  // Checks a record in memory that awaits a checkpoint: its blocks are verified, but not that they
  // have a single owner, as the next checkpoint settles that.
  void VisitRecordInMemory(uint32_t shard, const format::LeafRecord& record);
  // Checks a block that belongs to an allocation map of the shard; false if it is not sound.
  bool VisitMapBlock(uint32_t shard, format::BlockPointer block);

  // After all records of the trees: compares entries and chunks. With `has_gaps` some records were
  // unreadable, so missing ones are not reported.
  void CompareContents(bool has_gaps);
  // Whether there is damage in contents whose entry's name is not known yet. Call VisitName for
  // each entry to name them, then TellUnnamed.
  bool WantsNames() const { return !unnamed_.empty(); }
  void VisitName(const format::LeafRecord& record);
  void TellUnnamed();

  // By number, whether something refers to the shard's block.
  const std::vector<bool>& reached(uint32_t shard) const { return reached_[shard]; }
  uint64_t entries(uint32_t shard) const { return entries_[shard]; }
  uint64_t orphaned_contents(uint32_t shard) const { return dead_[shard]; }

 private:
  struct Content {
    uint64_t blocks = 0;     // as the entry's size says
    uint64_t said = 0;       // non-hole blocks, as the entry says
    uint64_t found = 0;      // the same, as the chunks say
    uint64_t end = 0;        // one past the last non-hole block
    bool has_owner = false;  // an entry, or a record of an orphan
    bool is_dead = false;
  };
  enum class Account { kKept, kNone };

  void VisitEntry(uint32_t shard, const format::LeafRecord& record, Account account);
  void VisitChunk(uint32_t shard, const format::LeafRecord& record, Account account);
  void VisitOrphan(uint32_t shard, const format::LeafRecord& record);
  // Returns what is wrong with the block; empty if it is sound.
  std::string CheckBlock(uint32_t owner, format::BlockPointer block, Account account);
  void DamageOfContent(uint64_t content, std::string what);
  const std::string& NameOf(uint32_t shard) const { return shard_names_[shard]; }

  const Shards& shards_;
  const Placement& placement_;
  CheckSession& session_;
  const uint32_t limit_;
  std::vector<std::string> shard_names_;
  std::vector<std::vector<bool>> reached_;
  std::vector<uint64_t> entries_, dead_;
  std::unordered_map<uint64_t, Content> contents_;
  std::map<uint64_t, std::vector<std::string>> unnamed_;  // by content
};

}  // namespace kvfs
