// Allocates the pages (or blocks) of one file, by number.
//
// A number is *used*, *pinned* or free. Pinned numbers are not given out, but a checkpoint records
// them as free. This one mechanism covers three cases:
//   - A number allocated in an epoch stays pinned until that epoch's checkpoint makes it used, so
//     that the checkpoint of the epoch before does not record it.
//   - A number freed in an epoch stays pinned until that epoch's checkpoint is durable and no
//     reader has an older tree.
//   - A number given out for a change that fails stays pinned until it is unpinned.
//
// A free number is *backed* by disk space, or is a hole in the file; if it is known to be backed,
// it is *preallocated*. (While UseHeads is on, only the head of a page is backed; the rest is a
// hole, and reads as zeros.) Preallocate() makes numbers preallocated, and is the only place where
// the disk can be full; Pin() then gives them out. The map does not record which free numbers are
// backed: the file is queried before the disk is reported full, so that on a full disk a process
// finds everything that its predecessor had preallocated.
//
// On disk a map is a radix tree of blocks in the values file (docs/format.md): level 0 has the
// bitmaps, the levels above have pointers. These blocks are loaded on demand, and a checkpoint
// writes them to new places (allocator_writer.h). A damaged bitmap gives nothing out, and numbers
// freed in it are leaked.
//
// Threads: thread-safe. Preallocate(), and others that may read or punch the file, do so without
// the map's lock; it is held only briefly.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
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
  // `file` consists of units of `unit_bytes`; `blocks` hold the map. Both must outlive it. With
  // `read_only` no disk space is allocated, as nothing is written; the numbers given out lie beyond
  // the end of the file, for data kept in memory. `file_bytes` is the size of the file, if known.
  BlockAllocator(File* file, uint32_t unit_bytes, const BlockFile* blocks,
                 const format::MapRoot& root, uint64_t used, bool read_only = false,
                 std::optional<uint64_t> file_bytes = std::nullopt);

  // Ensures that at least `count` numbers are preallocated. kNoSpace if the disk is full: space
  // allocated by this call is then returned, and numbers that were backed before it stay
  // preallocated.
  Result<void> Preallocate(uint64_t count);
  // Finds free numbers that the file backs already, until `count` numbers are preallocated or there
  // are no more.
  Result<void> FindBacked(uint64_t count);
  uint64_t preallocated() const { return preallocated_.load(std::memory_order_relaxed); }
  // Trim() leaves at least `count` numbers preallocated, until the next Reserve().
  void Reserve(uint64_t count) { reserved_ = count; }
  uint64_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
  // Sets whether only the first kHeadBytes of a number are backed from now on, or all of it. In
  // the latter case numbers whose head alone is backed are no longer preallocated.
  static constexpr uint32_t kHeadBytes = 4096;
  void UseHeads(bool heads);
  bool uses_heads() const { return uses_heads_; }
  // True if only the number's head is backed, and the rest reads as zeros. The caller that writes
  // beyond the head must call NoteWhole.
  bool HasHeadOnly(uint64_t number) const;
  void NoteWhole(uint64_t number);
  // True if `count` numbers are preallocated, where up to `most_pinned` of the pinned ones count
  // too, since a checkpoint may unpin them. After a Reserve() of at least `count` they stay so.
  bool HasPreallocated(uint64_t count, uint64_t most_pinned = 0) const;

  // Pins and returns up to `want` consecutive preallocated numbers: `want` of them if a long enough
  // run is found; none if none are preallocated.
  Run Pin(uint64_t want);
  // Frees numbers given out by Pin(), which must not be allocated. Never throws.
  void Unpin(Run run);
  // Allocates pinned numbers: the open epoch's checkpoint will make them used.
  void Allocate(Run run);
  // Pins and allocates a number named by a log record, unless it is used or pinned already.
  Result<void> Mark(uint64_t number);
  // Frees a used or allocated number; the comment at the top says when it can be given out again.
  void FreeLater(uint64_t number);

  // The maximum number of blocks of this map that a checkpoint writes; and the number of blocks
  // that the map has now, the most that this checkpoint frees.
  uint64_t MapBlocks() const {
    const uint64_t bitmaps = file_end_ / (uint64_t{kMapNumbers} * unit_bytes_) + 1;
    const bool has_levels = bitmaps > 1 || levels_ > 1;
    return bitmaps + bitmaps / (kMapFanout - 1) + (has_levels ? kMostLevelsAbove : 0);
  }
  uint64_t PresentMapBlocks() const { return map_blocks_; }

  uint64_t settled_used() const;  // set in the bitmaps
  uint64_t used() const;          // with allocated ones, without those waiting to be free
  uint64_t waiting() const;       // freed by FreeLater, but not free yet
  uint64_t pinned() const;        // given out by Pin, and neither allocated nor unpinned

  // --- for checkpoints, one at a time ---

  // Numbers allocated and freed from now on belong to the next epoch.
  void CloseEpoch();
  // Adds pinned numbers that the closed epoch allocates, and numbers that it frees.
  void AddToClosed(const std::vector<Run>& allocated, const std::vector<uint64_t>& freed);
  // Reverts the last AddToClosed, and unpins the allocated numbers.
  void DropFromClosed(const std::vector<Run>& allocated, const std::vector<uint64_t>& freed);
  uint64_t closed_allocated() const;  // numbers
  // Loads the bitmaps that the closed epoch changes. Returns the indexes of the readable ones.
  Result<std::set<uint64_t>> LoadClosed();
  // Loads one bitmap; false if it is damaged.
  Result<bool> LoadBitmap(uint64_t index);
  // Applies the closed epoch's allocations and frees to the loaded bitmaps.
  void Settle();
  // The encoded bytes of a loaded bitmap.
  void CopyBitmap(uint64_t index, MutableBytes out) const;

  // The root of the map on disk.
  format::MapRoot root() const {
    const MutexLock lock(mutex_);
    return root_;
  }
  // The pointers to the map's blocks, by level and index within the level.
  Result<format::BlockPointer> PointerTo(uint32_t level, uint64_t index);
  void SetPointer(uint32_t level, uint64_t index, format::BlockPointer pointer);
  void CopyPointers(uint32_t level, uint64_t index, MutableBytes out) const;
  // Number of levels of a map that contains this bitmap.
  static uint32_t LevelsFor(uint64_t index);
  // Adds levels until the map has room for the bitmap.
  void GrowTo(uint64_t index);

  // To be called when the checkpoint of `epoch` is durable: numbers that it freed then wait for
  // FreeUpTo(epoch), which is to be called when no reader has an older tree.
  void CheckpointDurable(uint64_t epoch);
  void FreeUpTo(uint64_t epoch);
  // Punches holes where preallocated numbers form runs of at least `run`, with one call each; the
  // reserved numbers, and at least `spare`, stay preallocated. If `run` is 1, also truncates the
  // file after the last number that is used, pinned or backed. Drops idle bitmaps from memory.
  void Trim(uint64_t spare, uint64_t run);
  // The same with no spare, and for all free numbers, known to be backed or not: a process that
  // died may have left backed ones.
  void TrimAll(uint64_t run = 1);

 private:
  static constexpr uint32_t kWordNumbers = 64;
  static constexpr uint64_t kMostLevelsAbove = 3;  // above the bitmaps, for 2^39 numbers
  static constexpr uint32_t kBitmapWords = kMapNumbers / kWordNumbers;
  using Words = std::array<uint64_t, kBitmapWords>;

  static uint64_t WordOf(uint64_t number) { return number % kMapNumbers / kWordNumbers; }
  static uint64_t BitOf(uint64_t number) { return uint64_t{1} << number % kWordNumbers; }
  // A word with `count` bits set, from bit `first` on.
  static uint64_t Ones(uint64_t first, uint64_t count) {
    return (count == kWordNumbers ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << first;
  }

  struct Bitmap {
    Words used{};
    Words pinned{};
    Words backed{};
    bool readable = true;  // false: its block is damaged; none of its numbers are given out

    uint64_t Free(uint64_t word) const { return ~(used[word] | pinned[word]); }
    uint64_t Preallocated(uint64_t word) const { return Free(word) & backed[word]; }
    uint64_t Unknown(uint64_t word) const { return Free(word) & ~backed[word]; }
  };
  struct Waiting {
    uint64_t epoch;
    std::vector<uint64_t> numbers;
  };

  bool IsOnDisk(uint64_t bitmap) const { return !read_only_ || bitmap < first_own_bitmap_; }
  Result<void> BackUpTo(uint64_t count);
  bool MayHideBacked() const;
  Result<void> ProbeBacked(uint64_t count);
  bool IsBacked(uint64_t number);
  void BackSingly(uint64_t count);
  Result<bool> BackHead(uint64_t number);
  std::optional<std::vector<Run>> BackedOf(Run numbers) const KVFS_REQUIRES_LOCK(backing_);
  void TrimPreallocated(uint64_t spare, uint64_t run);
  void PunchUnknown(uint64_t run);
  uint64_t BitmapsOfFile() const;

  void NoteBacked(Run numbers, bool backed) KVFS_REQUIRES_LOCK(mutex_);
  void NoteFound(const std::vector<Run>& runs) KVFS_REQUIRES_LOCK(mutex_);
  void SetPinned(Run run, bool pinned) KVFS_REQUIRES_LOCK(mutex_);
  void NotePreallocated(uint64_t word_number, uint64_t before, uint64_t after)
      KVFS_REQUIRES_LOCK(mutex_);
  Run FindPreallocated(uint64_t want) const KVFS_REQUIRES_LOCK(mutex_);
  uint64_t PreallocatedWord(uint64_t word_number) const KVFS_REQUIRES_LOCK(mutex_);
  Run LastPreallocatedRun(uint64_t end) const KVFS_REQUIRES_LOCK(mutex_);
  Run FirstUnknownRun(uint64_t begin, uint64_t end) const KVFS_REQUIRES_LOCK(mutex_);
  void DropIdleBitmaps() KVFS_REQUIRES_LOCK(mutex_);
  Bitmap& At(uint64_t number) KVFS_REQUIRES_LOCK(mutex_) {
    return bitmaps_.at(number / kMapNumbers);
  }

  // These release the lock while they use the files, so state read before must be checked again.
  Result<Bitmap*> Load(uint64_t index) KVFS_REQUIRES_LOCK(mutex_);
  Result<Words> ReadBitmap(uint64_t index) KVFS_REQUIRES_LOCK(mutex_);
  Result<format::BlockPointer> Locate(uint32_t level, uint64_t index) KVFS_REQUIRES_LOCK(mutex_);
  Result<void> ReadMapBlock(format::BlockPointer block, MutableBytes out)
      KVFS_REQUIRES_LOCK(mutex_);
  Result<bool> BackMore(uint64_t index, uint64_t want) KVFS_REQUIRES_LOCK(mutex_);
  Result<bool> BackFew(uint64_t index, uint64_t word, uint64_t want) KVFS_REQUIRES_LOCK(mutex_);
  Result<void> Back(Run numbers) KVFS_REQUIRES_LOCK(mutex_);
  bool Punch(Run numbers, bool is_preallocated) KVFS_REQUIRES_LOCK(mutex_);
  bool PunchPinned(Run numbers) KVFS_REQUIRES_LOCK(mutex_);
  void CutEnd() KVFS_REQUIRES_LOCK(mutex_);

  File* file_;
  const uint32_t unit_bytes_;
  const BlockFile* blocks_;
  const bool read_only_;
  uint64_t first_own_bitmap_ = 0;  // with read_only: the first one beyond the file's end; set once

  // Held while disk space is allocated or punched, until the `backed` bits are updated.
  mutable RankedMutex backing_{LockRank::kBacking};
  mutable RankedMutex mutex_{LockRank::kBlockAllocator};
  format::MapRoot root_ KVFS_GUARDED_BY(mutex_);
  // Blocks of the levels above the bitmaps, by (level, index).
  std::map<std::pair<uint32_t, uint64_t>, std::array<format::BlockPointer, kMapFanout>> pointers_
      KVFS_GUARDED_BY(mutex_);
  std::map<uint64_t, Bitmap> bitmaps_ KVFS_GUARDED_BY(mutex_);
  // Bitmaps that Preallocate can skip for now, and those whose backed numbers are all known.
  std::vector<bool> exhausted_ KVFS_GUARDED_BY(mutex_);
  std::vector<bool> searched_ KVFS_GUARDED_BY(mutex_);
  // Numbers of words with a preallocated number.
  std::set<uint64_t> preallocated_words_ KVFS_GUARDED_BY(mutex_);
  // Numbers whose head alone may be backed.
  std::set<uint64_t> heads_ KVFS_GUARDED_BY(mutex_);
  uint64_t pinned_ KVFS_GUARDED_BY(mutex_) = 0;          // see pinned()
  uint64_t used_ KVFS_GUARDED_BY(mutex_);                // set in the bitmaps
  uint64_t backing_cursor_ KVFS_GUARDED_BY(mutex_) = 0;  // the bitmap that Preallocate tries next
  int growing_ KVFS_GUARDED_BY(mutex_) = 0;  // calls in progress that may extend the file
  // Of the open epoch, and of the closed one.
  std::vector<Run> allocated_ KVFS_GUARDED_BY(mutex_);
  std::vector<uint64_t> freed_ KVFS_GUARDED_BY(mutex_);
  std::vector<Run> closed_allocated_ KVFS_GUARDED_BY(mutex_);
  std::vector<uint64_t> closed_freed_ KVFS_GUARDED_BY(mutex_);
  uint64_t allocated_count_ KVFS_GUARDED_BY(mutex_) = 0;  // numbers allocated in both
  // Freed by Settle; the checkpoint is not durable yet.
  std::vector<uint64_t> settled_ KVFS_GUARDED_BY(mutex_);
  std::deque<Waiting> waiting_ KVFS_GUARDED_BY(mutex_);  // ascending epochs
  uint64_t waiting_count_ KVFS_GUARDED_BY(mutex_) = 0;

  // Changed under the lock, and read without it where an earlier value will do.
  std::atomic<uint64_t> preallocated_ = 0;
  std::atomic<uint64_t> reserved_ = 0;
  std::atomic<uint32_t> levels_ = 0;      // root_.levels
  std::atomic<uint64_t> map_blocks_ = 0;  // root_.blocks
  std::atomic<bool> uses_heads_ = false;
  std::atomic<bool> has_heads_ = false;
  std::atomic<uint64_t> file_end_ = 0;  // known size of the file in bytes
};

}  // namespace kvfs
