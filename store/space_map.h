// Which pages (or blocks) of one file are in use: a bitmap in groups, kept in the shard's tree.
//
// A number is in one of three states: *used*, *held* or free. Held numbers are not given out, but
// a checkpoint records them as free: what an epoch freed is held until that epoch's checkpoint is
// durable, since the one before still refers to it; and blocks that a big write has filled are held
// until the change that names them is in the log, so that a crash in between loses no space.
//
// Free numbers may be *backed* by disk space or be holes in the file. Reserve makes sure of backed
// ones, 64 at a time, and is the only place where the disk can be full; Allocate then cannot fail.
// Which free numbers are backed is not remembered on disk: after an opening each is backed again
// before its first use.
//
// One record of the tree holds one group of 4096 numbers. Records are read by Reserve, Mark and
// SettleFreed, never inside Allocate or Free, because those run in the middle of a change of the
// tree itself.
//
// A group whose record is damaged gives nothing out, and what is freed in it stays lost to the map.
//
// Threads: the caller holds the shard's lock exclusively.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "store/bytes.h"
#include "store/env/env.h"
#include "store/status.h"

namespace kvfs {

inline constexpr uint32_t kWordNumbers = 64;
inline constexpr uint32_t kGroupWords = 64;
inline constexpr uint32_t kGroupNumbers = kWordNumbers * kGroupWords;
inline constexpr uint32_t kGroupBytes = kGroupNumbers / 8;

using GroupWords = std::array<uint64_t, kGroupWords>;

class SpaceMap {
 public:
  // Reads a group's used bits from the tree; all zeros if it has no record.
  using Loader = std::function<Result<GroupWords>(uint64_t group)>;

  // `file` and what `load` needs must outlive the map. Numbers count units of `unit_bytes`.
  SpaceMap(File* file, uint32_t unit_bytes, uint64_t used, Loader load);

  // Makes sure that `count` calls of Allocate succeed. kNoSpace if the disk is full.
  Result<void> Reserve(uint64_t count);
  // Free numbers that are backed and loaded: what Allocate can give without another Reserve.
  uint64_t ready() const { return ready_; }
  uint64_t used() const { return used_; }

  // A number that becomes used at once. There must be one ready.
  uint64_t Allocate();
  // Numbers that are held until Mark or Release; needs as many ready.
  std::vector<uint64_t> Hold(uint64_t count);
  // Makes numbers used that were held, or, in a recovery, that a log record names.
  Result<void> Mark(uint64_t number);
  // Gives back numbers that Hold gave.
  void Release(const std::vector<uint64_t>& numbers);

  // Frees a number that a durable checkpoint may refer to: takes effect as described above.
  void FreeLater(uint64_t number) { freed_.push_back(number); }
  // Frees a number that was allocated in this epoch: it may be given out again at once.
  void FreeNow(uint64_t number);

  // Closing an epoch. SettleFreed turns what was freed into held numbers, recorded as free. The
  // caller then stores the dirty groups, whose storing may free and allocate, until both are done.
  Result<void> SettleFreed();
  bool HasFreed() const { return !freed_.empty(); }
  bool HasDirtyGroups() const { return !dirty_.empty(); }
  // Takes one group off the dirty ones. The bits are what its record must hold.
  std::pair<uint64_t, GroupWords> TakeDirtyGroup();
  // The group that was taken could not be stored.
  void StayDirty(uint64_t group);
  // How many groups closing the epoch now would store, at most.
  uint64_t GroupsToStore() const;
  void CloseEpoch();

  // The closed epoch's checkpoint is durable: what it freed may be given out again. Returns free
  // numbers to the disk as holes, runs of at least `run` of them, until only `spare` are left.
  void CheckpointDurable(uint64_t spare, uint32_t run);
  // How many were allocated in the epoch that was closed last.
  uint64_t allocated_in_closed_epoch() const { return closed_allocated_; }

 private:
  struct Group {
    GroupWords used{};
    GroupWords held{};
    GroupWords backed{};
    bool readable = true;  // false: its record is damaged; nothing is ever given out from it

    uint64_t Free(uint32_t word) const { return ~(used[word] | held[word]); }
    uint64_t Ready(uint32_t word) const { return Free(word) & backed[word]; }
  };

  Result<Group*> Load(uint64_t group);
  Group* Find(uint64_t number);
  Result<bool> BackOneMore(uint64_t group_number, Group& group);
  Result<void> BackWord(uint64_t group_number, Group& group, uint32_t word);
  uint64_t TakeReady(bool hold);
  void MakeFree(uint64_t number, Group& group);
  void PunchWords(uint64_t spare, uint32_t run);
  bool PunchRuns(uint64_t word_number, Group& group, uint32_t run);
  void DropIdleGroups();
  void SetUsed(uint64_t number, Group& group);

  File* file_;
  const uint32_t unit_bytes_;
  Loader load_;
  std::map<uint64_t, Group> groups_;
  std::vector<bool> exhausted_;  // groups that Reserve need not look at in this epoch
  std::set<uint64_t> dirty_;
  std::set<uint64_t> ready_words_;  // words with a ready number, by word number
  uint64_t ready_ = 0;
  uint64_t used_;
  uint64_t reserve_cursor_ = 0;  // group where Reserve looks next
  uint64_t allocated_ = 0;
  uint64_t closed_allocated_ = 0;
  uint64_t file_end_ = 0;          // bytes of the file known to exist
  std::vector<uint64_t> freed_;    // in the open epoch, not yet settled
  std::vector<uint64_t> settled_;  // in the open epoch, held
  std::vector<uint64_t> closed_;   // in the closed epoch, held until its checkpoint is durable
};

}  // namespace kvfs
