// The decision over a transaction: its record goes to the log, and then everybody sees its changes.
//
// Threads: safe from many; the caller holds the locks of all shards that the transaction changes,
// so the order of the log is the order of every shard.
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

// `record` is RedoLog::RecordOverhead() free bytes and the changes. kTooLarge and kNoSpace: nothing
// has happened. After kIo it is not known whether the changes will be there after a reopening.
Result<void> Commit(const CommitTarget& target, Transaction* transaction,
                    std::vector<std::byte>* record, uint64_t named_block_bytes);

}  // namespace kvfs
