// Applies changes in a transaction: the one place where entries and contents change, for a new
// batch and for a replayed record alike.
//
// Threads: as for Transaction.
#pragma once

#include "store/format/change.h"
#include "store/shard/placement.h"
#include "store/txn/content_editor.h"
#include "store/txn/transaction.h"

namespace kvfs {

// The most data that one change of a content carries through the log; larger writes go to their
// blocks first (staging.h).
inline constexpr uint64_t kMaxLoggedBytes = uint64_t{64} << 10;
// kInvalid, with the reason, unless the change is valid in a store with `shards` shards. Called for
// each change before it is logged, and for each one read from a log: a change that a replay would
// refuse is never written.
Result<void> CheckChange(const format::Change& change, uint32_t shards);

class ChangeApplier {
 public:
  // What to do if the content that a change replaces or erases is damaged.
  enum class Damage {
    kRefuse,  // refuse the change: kCorrupt
    kLeak,    // apply it; the blocks stay in use, for a repair to find
  };

  // All must outlive the applier.
  ChangeApplier(Transaction* transaction, const Placement* placement, uint32_t inline_limit,
                Damage damage = Damage::kRefuse)
      : transaction_(*transaction), placement_(*placement), limit_(inline_limit), damage_(damage) {}

  // Applies the change. Absent entries are ignored. kRetry: see Transaction. kCorrupt: the change
  // depends on damaged data; the transaction must be discarded.
  Result<void> Execute(const format::Change& change);
  // Instead of a change that cannot be applied because of damage: marks its entries as lost, so
  // that their old state is not read.
  Result<void> MarkLost(const format::Change& change);

 private:
  struct Place {
    uint32_t shard;
    format::RecordKey key;
  };
  // The entry, ready for changes; nothing if it is absent.
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
