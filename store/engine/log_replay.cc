// Applies each record to the memtables.
#include "store/engine/log_replay.h"

#include "store/base/describe.h"
#include "store/base/retry.h"

namespace kvfs {

using format::Change;
using format::LogRecord;
using Kind = format::Change::Kind;

namespace {

Places PlacesOf(const Placement& placement, const Change& change) {
  Places places;
  if (change.name.empty()) return places;
  places.at = placement.PlaceOf(change.directory, change.name);
  if (format::HasSecondName(change.kind)) {
    places.to = placement.PlaceOf(change.to_directory, change.to_name);
  }
  return places;
}

}  // namespace

Result<void> ForEachRecord(const Opening& opening, const RecordVisit& visit) {
  return opening.parts->log->Replay(
      opening.checkpoint.first_segment, opening.checkpoint.next_sequence,
      [&](const LogRecord& record) -> Result<bool> {
        KVFS_ASSIGN(const std::vector<Change> changes, format::DecodeChanges(record.payload));
        return visit(record, changes);
      });
}

Result<void> LogReplay::Until(uint64_t end) {
  const ExclusiveLocks locks(parts().shards, AllShards(parts().shards));
  auto replay = [&](const LogRecord& record, const std::vector<Change>& changes) -> Result<bool> {
    if (record.sequence >= end) return false;
    for (const Change& change : changes) {
      KVFS_TRY(CarryOutIfSound(change, record.sequence, locks));
      const bool names_blocks = change.kind == Kind::kWriteBlocks;
      const uint64_t named = names_blocks ? change.BlockCount() * format::kBlockBytes : 0;
      parts().account.Add(0, named);
      parts().space.Add(named, 0);
    }
    parts().account.Add(record.EncodedBytes(), 0);
    ++parts().replayed_records;
    return true;
  };
  KVFS_TRY(ForEachRecord(opening_, replay));
  if (parts().replayed_records > 0) {
    opening_.Log("recovered: the store was not closed; replayed " +
                 std::to_string(parts().replayed_records) + " log records");
  }
  return {};
}

Result<void> LogReplay::CarryOutIfSound(const Change& change, uint64_t sequence,
                                        const ExclusiveLocks& locks) {
  if (change.kind == Kind::kPut) {
    Shard& owner = *parts().shards[parts().placement->OwnerOf(change.id)];
    owner.mutex.AssertHeld();  // by Until
    owner.NoteId(change.id);
  }
  auto done = CarryOut(change, sequence, locks, &ChangeApplier::Execute);
  if (done || done.error().code != ErrorCode::kCorrupt) return done;
  const std::string what =
      DescribeEntry(change.directory, change.name) +
      " is lost: a change of it cannot be applied, because of damage: " + done.error().message;
  opening_.Log(what);
  if (opening_.salvages) parts().losses.push_back(what);
  return CarryOut(change, sequence, locks, &ChangeApplier::MarkLost);
}

Result<void> LogReplay::CarryOut(const Change& change, uint64_t sequence,
                                 const ExclusiveLocks& locks,
                                 Result<void> (ChangeApplier::*how)(const Change&, const Places&)) {
  constexpr uint64_t kSpareBlocks = 64;
  const Places places = PlacesOf(*parts().placement, change);
  while (true) {
    Transaction transaction(parts().shards, locks, 0);
    ChangeApplier applier(&transaction, parts().placement.get(),
                          parts().shards.front()->inline_limit(), ChangeApplier::Damage::kLeak);
    auto done = (applier.*how)(change, places);
    if (done) done = transaction.WriteNewBlocks();
    if (done) {
      parts().space.Add(transaction.AllocatedBytes(), transaction.FreedBytes());
      return transaction.Commit(sequence);
    }
    if (done.error().code != kRetry) return done;
    for (const auto& [shard, blocks] : transaction.missing_blocks()) {
      BlockAllocator& space = parts().shards[shard]->block_allocator();
      auto reserved = space.Preallocate(blocks + kSpareBlocks);
      // The previous process had disk space for the replayed changes, but perhaps no more.
      if (!reserved && reserved.error().code == ErrorCode::kNoSpace) {
        reserved = space.Preallocate(blocks);
      }
      KVFS_TRY(reserved);
    }
  }
}

}  // namespace kvfs
