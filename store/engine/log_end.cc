// Tells a torn end from a damaged one.
#include "store/engine/log_end.h"

#include <set>

#include "store/engine/log_replay.h"
#include "store/txn/change_applier.h"

namespace kvfs {

using format::Change;
using format::LogRecord;
using Kind = format::Change::Kind;

Result<void> LogEnd::FindSegments() {
  KVFS_TRY(parts().log->FindHeadless(
      {opening_.checkpoint.first_segment, opening_.checkpoint.last_segment}));
  appended_ = parts().log->Appended(opening_.checkpoint.last_segment);
  const std::set<uint64_t> named = {opening_.checkpoint.first_segment,
                                    opening_.checkpoint.last_segment};
  for (const uint64_t segment : named) {
    if (parts().log->Has(segment)) continue;
    KVFS_TRY(NoteLogDamage("the log lacks segment " + std::to_string(segment) +
                           ", with which it continues the newest checkpoint"));
  }
  const std::string cut = parts().log->CutSegment(opening_.checkpoint.first_segment);
  return cut.empty() ? Result<void>() : NoteLogDamage(cut + " has been cut short");
}

Result<void> LogEnd::Find(uint64_t* end) {
  auto mark = [&](const LogRecord& record, const std::vector<Change>& changes) -> Result<bool> {
    KVFS_ASSIGN(const bool is_whole, MarkBlocks(record.sequence, changes));
    if (is_whole) ++*end;
    return is_whole;
  };
  KVFS_TRY(ForEachRecord(opening_, mark));
  return RequireEndAt(*end);
}

// Whether the record must exist: another record proves that it was durable, or it was appended and
// only the process, not the machine, has crashed since. Scans the log at most once, however much is
// damaged.
Result<bool> LogEnd::WasThere(uint64_t sequence) {
  if (sequence <= appended_) return true;
  if (!proven_durable_) {
    KVFS_ASSIGN(proven_durable_, parts().log->ProvenDurable(opening_.checkpoint.first_segment));
  }
  return *proven_durable_ >= sequence;
}

// Reports damage if the log ends before a record that must exist.
Result<void> LogEnd::RequireEndAt(uint64_t end) {
  if (opening_.closed) return {};
  KVFS_ASSIGN(const bool is_damaged, WasThere(end));
  if (!is_damaged) return {};
  return NoteLogDamage("the log is damaged: record " + std::to_string(end) +
                       (end <= appended_ ? ", which was appended and cannot have been lost"
                                         : ", which was durable") +
                       ", cannot be read, and so neither it nor those behind it can be carried "
                       "out");
}

// Records damage of the log. Fails if the store is opened for writing, as acknowledged changes
// would be lost; a read-only store is opened nevertheless. Only the first damage counts as a loss:
// the replay ends there, and later ones are its consequences.
Result<void> LogEnd::NoteLogDamage(const std::string& what) {
  opening_.Log(what);
  if (opening_.salvages && parts().log_damage.empty()) parts().losses.push_back(what);
  if (parts().log_damage.empty()) parts().log_damage = what;
  if (opening_.access == Access::kReadOnly) return {};
  return Fail(ErrorCode::kCorrupt, what + "; open the store for reading only, or repair it");
}

// Marks the blocks that the record names as used. False if one of them is missing: then neither the
// block nor the record was durable.
Result<bool> LogEnd::MarkBlocks(uint64_t sequence, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (auto possible = CheckChange(change, parts().placement->shards()); !possible) {
      return Fail(ErrorCode::kCorrupt,
                  "log record " + std::to_string(sequence) + ": " + possible.error().message);
    }
    KVFS_ASSIGN(const bool is_whole, HasItsBlocks(sequence, change));
    if (!is_whole) return false;
  }
  // Only after all are checked, since a record that is not replayed must not mark blocks.
  for (const Change& change : changes) {
    if (change.kind != Kind::kWriteBlocks) continue;
    Shard& owner = *parts().shards[change.owner];
    for (size_t i = 0; i < change.BlockCount(); ++i) {
      KVFS_TRY(owner.block_allocator().Mark(change.Block(i).number));
      owner.blocks().NoteReplayed(change.Block(i).number);
    }
  }
  return true;
}

// False if a block that the change names is missing. A damaged block of a durable record counts as
// present: readers of that block get an error, and nothing else is lost.
Result<bool> LogEnd::HasItsBlocks(uint64_t sequence, const Change& change) {
  if (change.kind != Kind::kWriteBlocks) return true;
  for (size_t i = 0; i < change.BlockCount(); ++i) {
    auto sound = parts().shards[change.owner]->blocks().Check(change.Block(i));
    if (sound) continue;
    if (sound.error().code != ErrorCode::kCorrupt) return tl::unexpected(sound.error());
    KVFS_ASSIGN(const bool is_damaged, WasThere(sequence));
    opening_.Log((is_damaged ? "record " : "the log ends before record ") +
                 std::to_string(sequence) +
                 (is_damaged ? " names a block that is damaged: "
                             : ", which names a block that is not on the disk: ") +
                 sound.error().message);
    if (!is_damaged) return false;
  }
  return true;
}

}  // namespace kvfs
