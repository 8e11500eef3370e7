// Checks what the trees' records say: that each decodes, lies in its right shard, that the blocks
// it names are there, with the right bytes, and nobody else's, and that entries and chunks agree on
// each content.
//
// Memory: a bit for each block of the store, and some words for each content that has chunks.
//
// Threads: one; the caller has pins of all shards.
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

  // A record that the tree of `shard` holds.
  void VisitRecord(uint32_t shard, const format::LeafRecord& record);
  // A record that waits in memory for a checkpoint: its blocks are checked; who else has them is
  // not, as that is settled with the checkpoint.
  void VisitRecordInMemory(uint32_t shard, const format::LeafRecord& record);
  // A block that belongs to a allocation map of the shard; false if it is not all right.
  bool VisitMapBlock(uint32_t shard, format::BlockPointer block);

  // After all records of the trees: compares what entries and chunks say. If some could not be
  // read, nothing can be said of those that are missing.
  void CompareContents(bool has_gaps);
  // Contents whose damage could not be told by their entry's name yet. VisitName(entry) for each
  // entry names them.
  bool WantsNames() const { return !unnamed_.empty(); }
  void VisitName(const format::LeafRecord& record);
  void TellUnnamed();

  // By number: the shard's blocks that something refers to.
  const std::vector<bool>& reached(uint32_t shard) const { return reached_[shard]; }
  uint64_t entries(uint32_t shard) const { return entries_[shard]; }
  uint64_t orphaned_contents(uint32_t shard) const { return dead_[shard]; }

 private:
  struct Content {
    uint64_t blocks = 0;     // as the entry's size says
    uint64_t said = 0;       // blocks that are no holes, as the entry says
    uint64_t found = 0;      // the same, as the chunks say
    uint64_t end = 0;        // behind the last block that is no hole
    bool has_owner = false;  // an entry, or the dead space
    bool is_dead = false;
  };
  enum class Account { kKept, kNone };

  void VisitEntry(uint32_t shard, const format::LeafRecord& record, Account account);
  void VisitChunk(uint32_t shard, const format::LeafRecord& record, Account account);
  void VisitOrphan(uint32_t shard, const format::LeafRecord& record);
  // Empty if the block is all right.
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
