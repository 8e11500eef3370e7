// The whole blocks of a batch's big writes, written to their places before the batch is resolved:
// without the shards' locks, as that takes time. The log record then names the blocks.
//
// What is small goes through the log, where a sync makes it durable with one flush; its blocks are
// written when it is carried out.
//
// Threads: a Staging belongs to one call of Store::Apply. It takes shards' locks for moments.
#pragma once

#include <map>
#include <vector>

#include <kvfs/batch.h>
#include "store/shard/placement.h"
#include "store/shard/shard_set.h"

namespace kvfs {

// A write cut into whole blocks and the parts before and after them.
struct BlockSplit {
  uint64_t head = 0;    // bytes before the first whole block
  uint64_t middle = 0;  // bytes in whole blocks; may be none
  uint64_t tail = 0;    // bytes after the last whole block

  static BlockSplit Of(uint64_t offset, uint64_t length);
};

class Staging {
 public:
  // Writes above this many bytes have their whole blocks staged: they are written once, and not to
  // the log as well, but a sync has two files to flush. docs/benchmarks.md tells what it costs.
  static constexpr uint64_t kMinBytes = uint64_t{8} << 10;

  struct Write {
    uint32_t owner = 0;
    std::vector<Run> runs;
    uint64_t blocks = 0;
    std::vector<std::byte> pointers;  // encoded, as a change carries them
  };

  Staging(const Shards& shards, const Placement& placement)
      : shards_(shards), placement_(placement) {}
  // Gives back what was not committed.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Writes the blocks of every operation that has some and is not staged yet. `owners` tells for
  // operations where their content lives, if that is known better than by a look at the store.
  // kNoSpace if the disk is full.
  Result<void> Prepare(const Batch& batch, const std::map<size_t, uint32_t>& owners);
  // The blocks of operation `index`; null if it has none.
  const Write* Find(size_t index) const;
  // The operation's blocks are not used; gives them back.
  void Discard(size_t index);
  // The batch is in the log, and its changes are made: its blocks have found their use.
  void Commit();
  uint64_t StagedBytes() const;

  static bool IsStaged(const Batch::Operation& operation);

  // True if there is anything to prepare.
  static bool Stages(const Batch& batch);

 private:
  uint32_t GuessOwner(Key key) const;
  Result<void> WriteBlocks(Bytes data, Write* write);
  void Release(const Write& write);

  const Shards& shards_;
  const Placement& placement_;
  std::map<size_t, Write> writes_;
};

}  // namespace kvfs
