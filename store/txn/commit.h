// Commits a transaction: appends its record to the log, and then makes its changes visible.
//
// Threads: safe from many; the caller holds the locks of all shards that the transaction changes,
// so each shard changes in the order of the log.
#pragma once

#include <vector>

#include "store/alloc/space_account.h"
#include "store/base/failure_latch.h"
#include "store/txn/transaction.h"
#include "store/wal/log_account.h"
#include "store/wal/redo_log.h"

namespace kvfs {

struct CommitTarget {
  RedoLog* log = nullptr;
  FailureLatch* failure_latch = nullptr;
  LogAccount* account = nullptr;
  SpaceAccount* space = nullptr;
};

// `record` is RedoLog::RecordOverhead() free bytes and the changes; `named_block_bytes` is the size
// of the blocks that it names. After kTooLarge and kNoSpace nothing has changed. After kIo it is
// unknown whether the changes will be there after a reopening.
Result<void> Commit(const CommitTarget& target, Transaction* transaction,
                    std::vector<std::byte>* record, uint64_t named_block_bytes);

}  // namespace kvfs
