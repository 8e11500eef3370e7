// Walks the records of one shard as of one version: the memtables merged over the tree.
//
// Records in memory are copied in small batches under the shard's lock, so that the lock is not
// held while the caller works or a page is read from disk. Between two batches the newest state may
// change: a record that exists during the whole walk is visited exactly once.
#pragma once

#include <string>
#include <vector>

#include "store/shard/shard.h"

namespace kvfs {

class RecordCursor {
 public:
  // Takes `lock` shared for each access to the memtables; null if the caller holds the shard's
  // lock.
  RecordCursor(ShardPin pin, uint64_t at, RankedSharedMutex* lock);

  // Moves to the first record not below `key`; the walk ends after the records of `last_directory`.
  void Seek(const format::RecordKey& key, uint64_t last_directory);
  bool Valid() const { return is_valid_; }
  // Valid until the cursor moves.
  const format::LeafRecord& Record() const { return record_; }
  void Next();

  // See TreeCursor.
  std::optional<Error> damage() const { return tree_.damage(); }

 private:
  struct Copy {
    uint64_t directory;
    uint64_t position;
    std::string name;
    uint64_t version;
    bool is_erased;
    std::string value;
    format::RecordKey key() const { return {directory, position, name}; }
  };

  void Refill();
  void CopyBatch(const format::RecordKey& from, bool is_inclusive);
  bool HasCopy() const { return next_copy_ < copies_.size(); }
  bool HasTreeRecord() const {
    return tree_.Valid() && tree_.Record().key.directory <= last_directory_;
  }
  void Settle();

  const ShardPin pin_;
  const uint64_t at_;
  RankedSharedMutex* const lock_;
  TreeCursor tree_;
  uint64_t last_directory_ = 0;
  std::vector<Copy> copies_;
  size_t next_copy_ = 0;
  bool is_memory_done_ = true;
  bool is_valid_ = false;
  bool is_from_memory_ = false;
  format::LeafRecord record_;
};

}  // namespace kvfs
