// Which pages (or blocks) of one file are in use.
//
// A number is in one of three states: *used*, *held* or free. Held numbers are not given out, but a
// checkpoint records them as free. That is the one mechanism for three dangers: what an epoch freed
// is held until that epoch's checkpoint is durable and no reader has an older tree; what was given
// out in an epoch is held until the epoch's checkpoint makes it used, so that a checkpoint of the
// epoch before does not know of it; and what was given out for a change that then failed is held
// until it is given back.
//
// Free numbers may be *backed* by disk space or be holes in the file. (Of a map whose pages have
// little to hold, only their heads, as long as UseHeads says so: the rest is a hole, and zeros.)
// Reserve makes sure of backed ones, and is the only place where the disk can be full; Hold then
// gives them out. Which free numbers are backed is not remembered in the map: the file is asked
// before anything is allocated, so that on a full disk a process finds what the one before it had
// made ready, all of it.
//
// On disk a map is a radix tree of blocks in the values file, each named by a pointer with its
// checksum. Level 0 are bitmaps of 32768 numbers, a bit being set if the number is used; the levels
// above are rows of 256 pointers. They are loaded when they are needed, and written to new places
// by a checkpoint (allocator_writer.h). A bitmap that is damaged gives nothing out, and what is
// freed in it stays lost to the map.
//
// Threads: safe from many. Reserve may read and allocate; what else takes the map's lock holds it
// for moments.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "store/alloc/block_file.h"
#include "store/base/lock_rank.h"
#include "store/format/superblock.h"

namespace kvfs {

inline constexpr uint64_t kMapNumbers = 32768;  // in a bitmap
inline constexpr uint64_t kMapFanout = 256;     // pointers in a block of an upper level

// Consecutive numbers.
struct Run {
  uint64_t first = 0;
  uint64_t count = 0;
};

class BlockAllocator {
 public:
  // `file` has units of `unit_bytes`; `blocks` hold the map. Both must outlive it. Of a store that
  // is only read nothing is backed, as nothing is written, and numbers behind the file's end are
  // given out, for what is kept in memory. `file_bytes` is the file's size, for who has asked it.
  BlockAllocator(File* file, uint32_t unit_bytes, const BlockFile* blocks,
                 const format::MapRoot& root, uint64_t used, bool read_only = false,
                 std::optional<uint64_t> file_bytes = std::nullopt);

  // Makes sure that so many numbers are ready: free and backed. kNoSpace if the disk is full,
  // which keeps as much room as it had; what the file had all along stays ready.
  Result<void> Preallocate(uint64_t count);
  // Makes those numbers ready that the file has backed already, until so many are.
  Result<void> FindBacked(uint64_t count);
  uint64_t preallocated() const { return preallocated_.load(std::memory_order_relaxed); }
  // Until the next claim no trimming takes of so many ready ones.
  void Reserve(uint64_t count) { reserved_ = count; }
  uint64_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
  // From now on numbers have their heads backed only, kHeadBytes of each; or whole, and what has
  // only its head is not ready any more.
  static constexpr uint32_t kHeadBytes = 4096;
  void UseHeads(bool heads);
  bool uses_heads() const { return uses_heads_; }
  // True if only the number's head is backed, and the rest reads as zeros. Once more has been
  // written there, NoteWhole must tell.
  bool HasHeadOnly(uint64_t number) const;
  void NoteWhole(uint64_t number);
  // True if so many are ready; of the held ones, which a checkpoint may give back, up to `held`
  // count. After a Claim of as many or more they stay ready.
  bool HasPreallocated(uint64_t count, uint64_t most_pinned = 0) const;

  // Holds up to `want` ready numbers in a row, `want` of them if that many lie together; none if
  // none are ready.
  Run Pin(uint64_t want);
  // Gives back what Hold gave.
  void Unpin(Run run);
  // What Hold gave has found its use: the open epoch's checkpoint will make it used.
  void Allocate(Run run);
  // Holds and takes a number that a log record names, unless it is in use already.
  Result<void> Mark(uint64_t number);
  // A number that is used or taken has lost its use: see above for when it is free.
  void FreeLater(uint64_t number);

  // Blocks that a checkpoint writes of this map at most; and those that it has now, which that
  // checkpoint frees.
  uint64_t MapBlocks() const {
    const uint64_t bitmaps = file_end_ / (uint64_t{kMapNumbers} * unit_bytes_) + 1;
    const bool has_levels = bitmaps > 1 || levels_ > 1;
    return bitmaps + bitmaps / (kMapFanout - 1) + (has_levels ? kMostLevelsAbove : 0);
  }
  uint64_t PresentMapBlocks() const { return map_blocks_; }

  uint64_t settled_used() const;  // as the bitmaps say
  uint64_t used() const;          // taken ones included, those that wait to be free not
  uint64_t waiting() const;       // freed, and not free yet
  uint64_t pinned() const;        // given out by Hold, and neither taken nor released

  // --- for checkpoints, one at a time ---

  // What is taken and freed from now on belongs to the next epoch.
  void CloseEpoch();
  // Adds to what the closed epoch took and freed.
  void AddToClosed(const std::vector<Run>& allocated, const std::vector<uint64_t>& freed);
  // Takes that back; the taken numbers are given back, too.
  void DropFromClosed(const std::vector<Run>& allocated, const std::vector<uint64_t>& freed);
  uint64_t closed_allocated() const;  // numbers
  // Loads the bitmaps that the closed epoch changes, and returns the indexes of those that can be
  // read.
  Result<std::set<uint64_t>> LoadClosed();
  // Loads one bitmap; false if it is damaged.
  Result<bool> LoadBitmap(uint64_t index);
  // Carries the closed epoch's takings and freeings out on the loaded bitmaps.
  void Settle();
  // A loaded bitmap as it is to be written.
  void CopyBitmap(uint64_t index, MutableBytes out) const;

  // The root of the map on disk, and the pointers above its bitmaps.
  format::MapRoot root() const {
    const Lock lock(mutex_);
    return root_;
  }
  Result<format::BlockPointer> PointerTo(uint32_t level, uint64_t index);
  void SetPointer(uint32_t level, uint64_t index, format::BlockPointer pointer);
  void CopyPointers(uint32_t level, uint64_t index, MutableBytes out) const;
  // Levels of a map that has this bitmap.
  static uint32_t LevelsFor(uint64_t index);
  // Adds levels until the map has room for the bitmap.
  void GrowTo(uint64_t index);

  // Checkpoint `epoch` is durable: what it freed waits until FreeUpTo(epoch) says that no reader
  // has a tree from before it.
  void CheckpointDurable(uint64_t epoch);
  void FreeUpTo(uint64_t epoch);
  // Gives free numbers back to the disk as holes, runs of at least `run` of them with a call each,
  // as long as `spare` stay ready, and what is claimed. Where single ones go back, the file's
  // unused end is cut off. Forgets bitmaps that are not needed in memory.
  void Trim(uint64_t spare, uint64_t run);
  // The same for all that is free, whether it is known to be backed or not: a process that died may
  // have left such.
  void TrimAll(uint64_t run = 1);

 private:
  static constexpr uint32_t kWordNumbers = 64;
  static constexpr uint64_t kMostLevelsAbove = 3;  // a bitmap, for 2^39 numbers
  static constexpr uint32_t kBitmapWords = kMapNumbers / kWordNumbers;
  using Words = std::array<uint64_t, kBitmapWords>;

  static uint64_t WordOf(uint64_t number) { return number % kMapNumbers / kWordNumbers; }
  static uint64_t BitOf(uint64_t number) { return uint64_t{1} << number % kWordNumbers; }
  // `count` ones from bit `first` on.
  static uint64_t Ones(uint64_t first, uint64_t count) {
    return (count == kWordNumbers ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << first;
  }

  struct Bitmap {
    Words used{};
    Words pinned{};
    Words backed{};
    bool readable = true;  // false: its block is damaged; nothing is ever given out from it

    uint64_t Free(uint64_t word) const { return ~(used[word] | pinned[word]); }
    uint64_t Preallocated(uint64_t word) const { return Free(word) & backed[word]; }
    uint64_t Unknown(uint64_t word) const { return Free(word) & ~backed[word]; }
  };
  struct Waiting {
    uint64_t epoch;
    std::vector<uint64_t> numbers;
  };
  using Lock = std::unique_lock<RankedMutex>;

  bool IsOnDisk(uint64_t bitmap) const { return !read_only_ || bitmap < first_own_bitmap_; }
  Result<Bitmap*> Load(uint64_t index, Lock& lock);
  Result<Words> ReadBitmap(uint64_t index, Lock& lock);
  Result<format::BlockPointer> Locate(uint32_t level, uint64_t index, Lock& lock);
  Result<void> BackUpTo(uint64_t count);
  bool MayHideBacked() const;
  Result<void> ProbeBacked(uint64_t count);
  bool IsBacked(uint64_t number);
  void BackSingly(uint64_t count);
  Result<bool> BackMore(uint64_t index, uint64_t want, Lock& lock);
  Result<bool> BackFew(uint64_t index, uint64_t word, uint64_t want, Lock& lock);
  Result<void> Back(Run numbers, Lock& lock);
  Result<bool> BackHead(uint64_t number);
  void NoteBacked(Run numbers, bool backed);
  std::optional<std::vector<Run>> BackedOf(Run numbers) const;
  void NoteFound(const std::vector<Run>& runs);
  void SetPinned(Run run, bool pinned);
  void NotePreallocated(uint64_t word_number, uint64_t before, uint64_t after);
  Run FindPreallocated(uint64_t want) const;
  uint64_t PreallocatedWord(uint64_t word_number) const;
  Run LastPreallocatedRun(uint64_t end) const;
  Run FirstUnknownRun(uint64_t begin, uint64_t end) const;
  void TrimPreallocated(uint64_t spare, uint64_t run);
  bool Punch(Run numbers, bool is_preallocated, Lock& lock);
  void PunchUnknown(uint64_t run);
  bool PunchPinned(Run numbers, Lock& lock);
  void CutEnd(Lock& lock);
  uint64_t BitmapsOfFile() const;
  void DropIdleBitmaps();
  Bitmap& At(uint64_t number) { return bitmaps_.at(number / kMapNumbers); }

  File* file_;
  const uint32_t unit_bytes_;
  const BlockFile* blocks_;
  const bool read_only_;

  // Held while the disk backs numbers or is given them back, until `backed` tells of it.
  RankedMutex backing_{LockRank::kBacking};
  mutable RankedMutex mutex_{LockRank::kBlockAllocator};  // guards all below
  format::MapRoot root_;
  // Blocks of the levels above the bitmaps, by (level, index).
  std::map<std::pair<uint32_t, uint64_t>, std::array<format::BlockPointer, kMapFanout>> pointers_;
  std::map<uint64_t, Bitmap> bitmaps_;
  std::vector<bool> exhausted_;            // bitmaps where Reserve need not look for now
  std::vector<bool> searched_;             // bitmaps of which all that is backed is known
  std::set<uint64_t> preallocated_words_;  // with a ready number, by word number
  std::atomic<uint64_t> preallocated_ = 0;
  std::atomic<uint64_t> reserved_ = 0;
  std::atomic<uint32_t> levels_ = 0;      // those of root_
  std::atomic<uint64_t> map_blocks_ = 0;  // and its blocks
  std::atomic<bool> uses_heads_ = false;
  std::atomic<bool> has_heads_ = false;
  std::set<uint64_t> heads_;  // numbers of which only the head is backed
  uint64_t pinned_ = 0;
  uint64_t used_;                       // set in the bitmaps
  uint64_t first_own_bitmap_ = 0;       // of a store that is only read: behind the file's end
  uint64_t backing_cursor_ = 0;         // bitmap where Reserve looks next
  std::atomic<uint64_t> file_end_ = 0;  // bytes of the file known to exist
  int growing_ = 0;                     // calls that make the file longer
  std::vector<Run> allocated_;          // in the open epoch
  std::vector<uint64_t> freed_;
  std::vector<Run> closed_allocated_;  // in the closed epoch
  std::vector<uint64_t> closed_freed_;
  uint64_t allocated_count_ = 0;   // numbers in taken_ and closed_taken_
  std::vector<uint64_t> settled_;  // by the closed epoch, whose checkpoint is not durable yet
  std::deque<Waiting> waiting_;    // ascending epochs
  uint64_t waiting_count_ = 0;
};

}  // namespace kvfs
