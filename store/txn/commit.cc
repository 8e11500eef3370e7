// The record is the decision: after the append nothing may fail but the disk.
#include "store/txn/commit.h"

#include <new>

#include "store/base/out_of_memory.h"

namespace kvfs {

Result<void> Commit(const CommitTarget& target, Transaction* transaction,
                    std::vector<std::byte>* record, uint64_t named_block_bytes) {
  if (record->size() - RedoLog::RecordOverhead() > target.log->MaxPayloadBytes()) {
    return Fail(ErrorCode::kTooLarge, "the batch does not fit into a log segment; split it");
  }
  if (auto written = transaction->WriteNewBlocks(); !written) {
    if (MayBeRepeated(written.error())) return written;
    return target.failure_latch->Fail("a block could not be written", std::move(written).error());
  }
  auto appended = target.log->Append(record);
  if (!appended) {
    if (MayBeRepeated(appended.error())) return tl::unexpected(appended.error());
    return target.failure_latch->Fail("the log could not be written", std::move(appended).error());
  }
  target.account->Add(record->size(), named_block_bytes);
  target.space->Add(named_block_bytes + transaction->AllocatedBytes(), transaction->FreedBytes());
  Result<void> done;
  try {
    done = transaction->Commit(*appended);
  } catch (const std::bad_alloc&) {
    transaction->MarkTorn();
    done = tl::unexpected(OutOfMemory());
  }
  if (done) return {};
  return target.failure_latch->Fail("a logged change could not be applied",
                                    {ErrorCode::kIo, std::move(done).error().message});
}

}  // namespace kvfs
