// Applies changes in a transaction: the one place where entries and contents change, for a new
// batch and for a replayed record alike.
//
// Threads: as for Transaction.
#pragma once

#include <array>
#include <optional>

#include "store/format/change.h"
#include "store/format/entry.h"
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

  // An entry as the transaction sees it. Its bytes are valid until the next change.
  struct Present {
    format::Entry entry;
    uint64_t version = 0;
  };
  // The entry there, in a locked shard; nothing if it is absent. kCorrupt.
  Result<std::optional<Present>> Look(const Place& place);

  // Applies the change, whose keys have these places (none for kReclaim). Absent entries are
  // ignored. kRetry: see Transaction. kCorrupt: the change depends on damaged data; the transaction
  // must be discarded.
  Result<void> Execute(const format::Change& change, const Places& places);
  // Instead of a change that cannot be applied because of damage: marks its entries as lost, so
  // that their old state is not read.
  Result<void> MarkLost(const format::Change& change, const Places& places);

 private:
  // The entry, ready for changes; nothing if it is absent.
  Result<std::optional<MutableEntry>> Load(const Place& place);
  void Save(const Place& place, const MutableEntry& entry);
  Result<void> Apply(const format::Change& change, const Places& places);
  Result<void> NeedShards(const format::Change& change, const Places& places);

  Result<void> Put(const format::Change& change, const Place& place);
  Result<void> Move(const format::Change& change, const Place& from, const Place& to);
  Result<void> Exchange(const format::Change& change, const Place& one, const Place& other);
  Result<void> TakeContent(const format::Change& change, const Place& taker_at,
                           const Place& giver_at);
  Result<void> Edit(const format::Change& change, const Place& place);
  Result<void> EditContent(const format::Change& change, ContentEditor* editor);
  Result<void> Reclaim(const format::Change& change);
  Result<void> LetGo(MutableEntry* entry);
  Result<bool> LetGoAt(const Place& place);
  Result<void> EraseAt(const Place& place, format::Change::Found found);
  Result<void> MarkLostAt(const Place& place);

  // What Look has found, until the next change: so an entry is decoded once.
  struct Seen {
    Place place;
    Present found;
  };

  Transaction& transaction_;
  const Placement& placement_;
  const uint32_t limit_;
  const Damage damage_;
  std::array<Seen, 2> seen_;
  size_t seen_count_ = 0;
};

}  // namespace kvfs
