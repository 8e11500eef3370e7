// Writes the whole blocks of a batch's big writes to their places before the batch is resolved:
// without the shards' locks, as this takes time. The log record then names the blocks.
//
// Small writes go through the log, where a sync makes them durable with one flush; their blocks are
// written when the change is applied.
//
// Threads: a Staging belongs to one call of Store::Apply. Takes shards' locks briefly.
#pragma once

#include <map>
#include <vector>

#include "store/txn/placed_batch.h"

namespace kvfs {

// A write, split into whole blocks and the parts before and after them.
struct BlockSplit {
  uint64_t head = 0;    // bytes before the first whole block
  uint64_t middle = 0;  // bytes in whole blocks; may be none
  uint64_t tail = 0;    // bytes after the last whole block

  static BlockSplit Of(uint64_t offset, uint64_t length);
};

class Staging {
 public:
  // Writes above this size have their whole blocks staged: these are written once, and not to the
  // log as well, but a sync then has two files to flush. docs/benchmarks.md has the cost.
  static constexpr uint64_t kMinBytes = uint64_t{8} << 10;

  struct Write {
    uint32_t owner = 0;
    std::vector<Run> runs;
    uint64_t blocks = 0;
    std::vector<std::byte> pointers;  // encoded, as a change carries them
  };

  Staging(const Shards& shards, const Placement& placement)
      : shards_(shards), placement_(placement) {}
  // Releases the blocks that were not committed.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Writes the blocks of every operation that has whole blocks and is not staged yet. `owners`
  // gives, by operation, the owner shard of the content where it is known already; otherwise the
  // store is looked up. kNoSpace if the disk is full.
  Result<void> Prepare(const PlacedBatch& batch, const std::map<size_t, uint32_t>& owners);
  // The blocks of operation `index`; null if it has none.
  const Write* Find(size_t index) const;
  // Releases the operation's blocks, unused.
  void Discard(size_t index);
  // Hands over the blocks: the batch has been logged and applied, so its changes refer to them now.
  void Commit();
  uint64_t StagedBytes() const;

  static bool IsStaged(const Batch::Operation& operation);

  // Whether any operation of the batch is staged.
  static bool Stages(const PlacedBatch& batch);

 private:
  uint32_t GuessOwner(const Place& place) const;
  Result<void> WriteBlocks(Bytes data, Write* write);
  void Release(const Write& write);

  const Shards& shards_;
  const Placement& placement_;
  std::map<size_t, Write> writes_;
};

}  // namespace kvfs
