// Carries out changes in a transaction: the one place where entries and contents change, for a new
// batch and for a replayed record alike.
//
// Threads: as for Transaction.
#pragma once

#include "store/format/change.h"
#include "store/shard/placement.h"
#include "store/txn/content_editor.h"
#include "store/txn/transaction.h"

namespace kvfs {

// What a change of an entry's content may carry through the log; larger ones go to their blocks
// first (staging.h).
inline constexpr uint64_t kMaxLoggedBytes = uint64_t{64} << 10;
// kInvalid, with the reason, unless the change can be carried out by a store of so many shards.
// Asked of each change before it is logged, and of each that comes from a log: what a replay
// refuses is never written.
Result<void> CheckChange(const format::Change& change, uint32_t shards);

class ChangeApplier {
 public:
  // What is done where the content that a change replaces or erases is damaged.
  enum class Damage {
    kRefuse,  // nothing: kCorrupt
    kLeak,    // the change; the blocks stay in use, for a repair to find
  };

  // All must outlive the applier.
  ChangeApplier(Transaction* transaction, const Placement* placement, uint32_t inline_limit,
                Damage damage = Damage::kRefuse)
      : transaction_(*transaction), placement_(*placement), limit_(inline_limit), damage_(damage) {}

  // kRetry: see Transaction. Absent entries are left alone. kCorrupt: what the change builds on is
  // damaged; the transaction is to be thrown away.
  Result<void> Execute(const format::Change& change);
  // In place of a change that damage does not let be carried out: nobody may read what was there
  // before it.
  Result<void> MarkLost(const format::Change& change);

 private:
  struct Place {
    uint32_t shard;
    format::RecordKey key;
  };
  // An entry with its entry and version; nothing if it is absent.
  Result<std::optional<MutableEntry>> Load(const Place& place) const;
  void Save(const Place& place, const MutableEntry& entry);
  Place PlaceOf(uint64_t directory, std::string_view name) const;
  Result<Place> LockedPlaceOf(uint64_t directory, std::string_view name);

  Result<void> Put(const format::Change& change);
  Result<void> Erase(const format::Change& change);
  Result<void> Move(const format::Change& change);
  Result<void> Exchange(const format::Change& change);
  Result<void> TakeContent(const format::Change& change);
  Result<void> Edit(const format::Change& change);
  Result<void> EditContent(const format::Change& change, ContentEditor* editor);
  Result<void> Reclaim(const format::Change& change);
  Result<void> LetGo(MutableEntry* entry);
  Result<bool> LetGoAt(const Place& place);
  Result<void> EraseAt(const Place& place, format::Change::Found found);
  Result<void> MarkLostAt(const Place& place);

  Transaction& transaction_;
  const Placement& placement_;
  const uint32_t limit_;
  const Damage damage_;
};

}  // namespace kvfs
