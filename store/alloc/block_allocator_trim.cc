// BlockAllocator: returns disk space by punching holes for free numbers, with one call for each
// run of any length.
#include <algorithm>
#include <bit>

#include "store/alloc/block_allocator.h"

namespace kvfs {
namespace {

constexpr size_t kMaxIdleBitmaps = 64;

}  // namespace

// Reserved numbers stay preallocated, even if it was an earlier process that allocated their space:
// so those must be found first.
void BlockAllocator::Trim(uint64_t spare, uint64_t run) {
  static_cast<void>(FindBacked(reserved()));
  TrimPreallocated(spare, run);
  const MutexLock lock(mutex_);
  if (run == 1) CutEnd();
  DropIdleBitmaps();
}

void BlockAllocator::TrimAll(uint64_t run) {
  static_cast<void>(FindBacked(reserved()));
  PunchUnknown(run);
  Trim(0, run);
}

// Starts at the end of the file, where new pages are least likely to be placed.
void BlockAllocator::TrimPreallocated(uint64_t spare, uint64_t run) {
  const MutexLock lock(mutex_);
  backing_cursor_ = 0;
  for (uint64_t end = ~uint64_t{0};;) {
    Run found = LastPreallocatedRun(end);
    if (found.count == 0) break;
    end = found.first;
    if (found.count < run) continue;
    const uint64_t preallocated = preallocated_, kept = std::max<uint64_t>(spare, reserved_);
    if (preallocated <= kept) break;
    const uint64_t stays = found.count - std::min(found.count, preallocated - kept);
    if (!Punch({found.first + stays, found.count - stays}, true)) break;
  }
}

// The last run of preallocated numbers below `end`, or an end of it that is long enough for one
// call; empty if there is none.
Run BlockAllocator::LastPreallocatedRun(uint64_t end) const {
  constexpr uint64_t kEnough = kMapNumbers;
  Run run;
  auto word = preallocated_words_.upper_bound(end / kWordNumbers);
  while (word != preallocated_words_.begin()) {
    const uint64_t first = *--word * kWordNumbers;
    uint64_t bits = PreallocatedWord(*word);
    if (end - first < kWordNumbers) bits &= Ones(0, end - first);
    if (bits == 0) continue;
    const auto above = static_cast<uint64_t>(std::countl_zero(bits));
    const auto length = static_cast<uint64_t>(std::countl_one(bits << above));
    const Run part{first + kWordNumbers - above - length, length};
    if (run.count > 0 && part.first + part.count != run.first) break;
    run = {part.first, run.count + part.count};
    if (part.first != first || run.count >= kEnough) break;
  }
  return run;
}

// The first run in [begin, end) of free numbers not known to be backed. The range lies in one
// bitmap, which must be loaded.
Run BlockAllocator::FirstUnknownRun(uint64_t begin, uint64_t end) const {
  Run run;
  while (begin < end) {
    const uint64_t bit = begin % kWordNumbers, left = kWordNumbers - bit;
    const uint64_t bits = bitmaps_.at(begin / kMapNumbers).Unknown(WordOf(begin)) >> bit;
    const auto skipped =
        run.count > 0 ? uint64_t{0} : std::min(left, static_cast<uint64_t>(std::countr_zero(bits)));
    const auto length =
        skipped == left ? uint64_t{0} : static_cast<uint64_t>(std::countr_one(bits >> skipped));
    if (length > 0 && run.count == 0) run.first = begin + skipped;
    run.count += length;
    if (run.count > 0 && skipped + length < left) break;
    begin += left;
  }
  run.count = std::min(run.count, end - std::min(end, run.first));
  return run;
}

// Punches runs of at least `run` free numbers that are not known to be backed.
void BlockAllocator::PunchUnknown(uint64_t run) {
  const MutexLock lock(mutex_);
  for (uint64_t index = 0; index < BitmapsOfFile(); ++index) {
    const auto bitmap = Load(index);
    if (!bitmap || !(*bitmap)->readable) continue;
    const uint64_t end = std::min((index + 1) * kMapNumbers, file_end_ / unit_bytes_);
    for (uint64_t at = index * kMapNumbers; at < end && bitmaps_.contains(index);) {
      const Run found = FirstUnknownRun(at, end);
      if (found.count == 0) break;
      at = found.first + found.count;
      if (found.count >= run && !Punch(found, false)) return;
    }
  }
}

// Punches holes for numbers that are preallocated, or not known to be backed. False if punching
// failed, or if they are reserved. They are pinned meanwhile, so that they are not given out.
bool BlockAllocator::Punch(Run numbers, bool is_preallocated) {
  SetPinned(numbers, true);
  const bool is_reserved = is_preallocated && preallocated_ < reserved_;
  const bool punched = !is_reserved && PunchPinned(numbers);
  SetPinned(numbers, false);
  return punched;
}

bool BlockAllocator::PunchPinned(Run numbers) {
  MutexUnlock unlocked(mutex_);
  const MutexLock backing(backing_);
  const bool punched =
      file_->PunchHole(numbers.first * unit_bytes_, numbers.count * unit_bytes_).has_value();
  unlocked.lock();
  if (!punched) return false;
  NoteBacked(numbers, false);
  for (uint64_t i = 0; has_heads_ && i < numbers.count; ++i) heads_.erase(numbers.first + i);
  has_heads_ = !heads_.empty();
  return true;
}

// Truncates the file after the last number that is used, pinned or backed.
void BlockAllocator::CutEnd() {
  // One more than the index, within the bitmap, of the last such number; 0 if there is none.
  auto end_of = [](const Bitmap& bitmap) {
    if (!bitmap.readable) return kMapNumbers;
    for (uint64_t word = kBitmapWords; word > 0; --word) {
      const uint64_t bits =
          bitmap.used[word - 1] | bitmap.pinned[word - 1] | bitmap.backed[word - 1];
      if (bits == 0) continue;
      return word * kWordNumbers - static_cast<uint64_t>(std::countl_zero(bits));
    }
    return uint64_t{0};
  };
  for (uint64_t index = BitmapsOfFile(); index > 0; --index) {
    const auto bitmap = Load(index - 1);
    if (!bitmap) return;
    if (end_of(**bitmap) > 0) break;
  }
  // The lock is not released from here on, so that no number beyond the new end is given out.
  uint64_t end = 0;
  for (auto at = bitmaps_.rbegin(); at != bitmaps_.rend() && end == 0; ++at) {
    const uint64_t last = end_of(at->second);
    if (last > 0) end = (at->first * kMapNumbers + last) * unit_bytes_;
  }
  if (growing_ == 0 && end < file_end_ && file_->Shorten(end)) file_end_ = end;
}

// Drops bitmaps whose content is all on disk, and which have no preallocated numbers.
void BlockAllocator::DropIdleBitmaps() {
  if (bitmaps_.size() <= kMaxIdleBitmaps) return;
  std::erase_if(bitmaps_, [this](const auto& item) KVFS_REQUIRES_LOCK(mutex_) {
    const auto& [index, bitmap] = item;
    const auto preallocated = preallocated_words_.lower_bound(index * kBitmapWords);
    const bool gives =
        preallocated != preallocated_words_.end() && *preallocated / kBitmapWords == index;
    const uint64_t none = index == 0 ? 1 : 0;
    const bool is_idle = !gives && bitmap.pinned[0] == none &&
                         std::all_of(bitmap.pinned.begin() + 1, bitmap.pinned.end(),
                                     [](uint64_t word) { return word == 0; });
    // Its backed numbers are forgotten with it.
    if (is_idle && index < searched_.size()) searched_[index] = false;
    return is_idle;
  });
}

}  // namespace kvfs
