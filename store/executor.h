// Carries out changes in a transaction: the one place where entries and contents change, for a new
// batch and for a replayed record alike.
//
// Threads: as for Transaction.
#pragma once

#include "store/content_editor.h"
#include "store/format/change.h"
#include "store/placement.h"
#include "store/transaction.h"

namespace kvfs {

// What a change of an entry's content may carry through the log; larger ones go to their blocks
// first (staging.h).
inline constexpr uint64_t kMaxLoggedBytes = uint64_t{64} << 10;
// Chunks that one kReclaim change frees at most.
inline constexpr uint64_t kMaxReclaimedChunks = 1024;

// kCorrupt unless the change could have been resolved from a batch by a store of so many shards:
// for what comes from a log.
Result<void> CheckChange(const format::Change& change, uint32_t shards);

class Executor {
 public:
  // All must outlive the executor.
  Executor(Transaction* transaction, const Placement* placement, uint32_t inline_limit)
      : transaction_(*transaction), placement_(*placement), limit_(inline_limit) {}

  // kRetry: see Transaction. Absent entries are left alone.
  Result<void> Execute(const format::Change& change);

 private:
  struct Place {
    uint32_t shard;
    format::RecordKey key;
  };
  // An entry with its draft and version; nothing if it is absent.
  Result<std::optional<Draft>> Load(const Place& place) const;
  void Save(const Place& place, const Draft& draft);
  Place PlaceOf(uint64_t space, std::string_view name) const;
  Result<Place> LockedPlaceOf(uint64_t space, std::string_view name);

  Result<void> Put(const format::Change& change);
  Result<void> Erase(const format::Change& change);
  Result<void> Move(const format::Change& change);
  Result<void> Exchange(const format::Change& change);
  Result<void> Edit(const format::Change& change);
  Result<void> EditContent(const format::Change& change, ContentEditor* editor);
  Result<void> Reclaim(const format::Change& change);
  Result<void> LetGo(Draft* draft);
  Result<void> EraseAt(const Place& place, format::Change::Found found);

  Transaction& transaction_;
  const Placement& placement_;
  const uint32_t limit_;
};

}  // namespace kvfs
