// Turns a batch into changes, and applies each in a transaction: checks that it can be done, and
// resolves everything that depends on the current state (ids, metas, the blocks of big writes), so
// that the log record of the changes is complete.
//
// It may find that it needs another shard's lock (that of a content's owner shard), or more blocks,
// or that a big write's blocks were written to a shard that is not the owner. It then returns
// kRetry, and the caller tries again with what the resolver and the transaction say is missing.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <kvfs/batch.h>
#include "store/txn/change_applier.h"
#include "store/txn/prefetch.h"
#include "store/txn/staging.h"

namespace kvfs {

class BatchResolver {
 public:
  // All must outlive the resolver.
  BatchResolver(Transaction* transaction, const Placement& placement, uint32_t inline_limit,
                const Staging& staging, const Prefetch& looks)
      : transaction_(*transaction),
        applier_(transaction, &placement, inline_limit),
        placement_(placement),
        limit_(inline_limit),
        staging_(staging),
        looks_(looks) {}

  // Appends the changes to `record`. kNotFound, kExists, kConflict, kInvalid, kTooLarge, kCorrupt:
  // the batch cannot be done; kRetry: see above.
  Result<void> Resolve(const PlacedBatch& batch, std::vector<std::byte>* record);

  // After kRetry: the right owner shard of operations whose blocks were written to another.
  const std::map<size_t, uint32_t>& wanted_owners() const { return wanted_owners_; }
  // Whether the batch may permanently use more disk space.
  bool grows() const { return grows_; }
  // Stores the new ids where the batch's caller wants them. Call it after the commit.
  void GiveIds() const;

 private:
  using Operation = Batch::Operation;
  using Present = ChangeApplier::Present;

  // Takes the shard's lock.
  Result<std::optional<Present>> StateOf(const Place& place);
  // The same; kNotFound if it is absent.
  Result<Present> Existing(const Place& place);
  format::Change::Found FoundOf(const std::optional<Present>& state) const;
  Result<void> AddMeta(const MetaEdit& edit, std::string_view present,
                       std::optional<std::string_view>* meta);
  Result<void> Do(const format::Change& change);

  Result<void> ResolveOne(size_t index, const Operation& operation);
  Result<void> ResolvePut(size_t index, const Operation& put);
  Result<void> ResolveRestore(const Operation& restore);
  Result<void> NoteId(uint64_t id);
  Result<void> ResolveErase(const Operation& erase);
  Result<void> ResolveWrite(size_t index, const Operation& write);
  Result<void> ResolveResize(const Operation& resize);
  Result<void> ResolveRange(const Operation& range);
  Result<void> ResolveMove(const Operation& move);
  Result<void> ResolveExchange(const Operation& exchange);
  Result<void> ResolveTakeContent(const Operation& take);
  Result<void> ResolveEditMeta(const Operation& edit);
  Result<void> ResolveExpect(const Operation& expect);
  // Writes big data in pieces: partial blocks through the log, whole blocks as staged.
  Result<void> WriteStaged(size_t index, const Operation& operation, uint64_t id,
                           std::optional<std::string_view> meta);

  Transaction& transaction_;
  ChangeApplier applier_;
  const Placement& placement_;
  const uint32_t limit_;
  const Staging& staging_;
  const Prefetch& looks_;
  const Places* places_ = nullptr;  // of the operation at hand
  std::vector<std::byte>* record_ = nullptr;
  std::deque<std::string> metas_;
  std::map<size_t, uint32_t> wanted_owners_;
  std::vector<std::pair<uint64_t*, uint64_t>> new_ids_;
  bool grows_ = false;
};

}  // namespace kvfs
