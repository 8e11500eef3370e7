// BlockAllocator: allocates disk space, which makes free numbers preallocated. Numbers that the
// file backs already, for example from an earlier process, are found before the disk is reported
// full.
#include <algorithm>
#include <bit>
#include <new>

#include "store/alloc/block_allocator.h"

namespace kvfs {
namespace {

constexpr uint64_t kMinGrowthBytes = uint64_t{256} << 10;
constexpr uint64_t kMaxGrowthBytes = uint64_t{2} << 20;

}  // namespace

Result<void> BlockAllocator::Preallocate(uint64_t count) {
  if (preallocated() >= count) return {};
  const auto before = file_->AllocatedBytes();
  auto backed = BackUpTo(count);
  if (backed || backed.error().code != ErrorCode::kNoSpace) return backed;
  KVFS_TRY(FindBacked(count));
  if (preallocated() >= count) return {};
  BackSingly(count);
  if (preallocated() >= count) return {};
  // Returns the space that was allocated in vain. Space that the file had before stays: others
  // would take it, and the changes that it is kept for would fail. Heads are too small to measure.
  const auto after = file_->AllocatedBytes();
  const uint64_t got = before && after ? std::max(*after, *before) - *before : 0;
  const uint64_t kept = preallocated() - std::min(preallocated(), got / unit_bytes_);
  if (!uses_heads_) TrimPreallocated(kept, 1);
  return backed;
}

// Queries the file bitmap by bitmap, as an earlier process may have left backed numbers.
Result<void> BlockAllocator::FindBacked(uint64_t count) {
  for (uint64_t index = 0; preallocated() < count; ++index) {
    const MutexLock backing(backing_);
    const MutexLock lock(mutex_);
    if (index >= BitmapsOfFile()) return {};
    if (searched_.size() <= index) searched_.resize(index + 1);
    if (searched_[index]) continue;
    KVFS_ASSIGN(const Bitmap* bitmap, Load(index));
    const auto backed =
        bitmap->readable ? BackedOf({index * kMapNumbers, kMapNumbers}) : std::vector<Run>();
    if (!backed) break;
    NoteFound(*backed);
    searched_[index] = true;
  }
  return preallocated() < count ? ProbeBacked(count) : Result<void>();
}

// For files that do not report their extents: tests each free number, until `count` are
// preallocated.
Result<void> BlockAllocator::ProbeBacked(uint64_t count) {
  if (read_only_ || !MayHideBacked()) return {};
  for (uint64_t number = 0; number < file_end_ / unit_bytes_ && preallocated() < count; ++number) {
    const MutexLock backing(backing_);
    const MutexLock lock(mutex_);
    const uint64_t index = number / kMapNumbers;
    if (searched_.size() <= index) searched_.resize(index + 1);
    KVFS_ASSIGN(const Bitmap* bitmap, Load(index));
    const bool is_open = bitmap->readable && (bitmap->Unknown(WordOf(number)) & BitOf(number)) != 0;
    if (!is_open || searched_[index]) continue;
    MutexUnlock unlocked(mutex_);
    const bool is_backed = IsBacked(number);
    unlocked.lock();
    if (is_backed) NoteBacked({number, 1}, true);
  }
  const MutexLock lock(mutex_);
  if (preallocated_ < count) searched_.assign(BitmapsOfFile(), true);
  return {};
}

// Tests whether allocating the number takes no further disk space. Space that it does take is
// returned, for others that need it more. `backing_` must be held, and the number must be free.
bool BlockAllocator::IsBacked(uint64_t number) {
  const bool heads = uses_heads_;
  const uint64_t offset = number * unit_bytes_, bytes = heads ? kHeadBytes : unit_bytes_;
  const auto before = file_->AllocatedBytes();
  if (!before || !file_->Allocate(offset, bytes)) return false;
  const auto after = file_->AllocatedBytes();
  if (!after || *after > *before) {
    static_cast<void>(file_->PunchHole(offset, unit_bytes_));
    return false;
  }
  if (!heads) return true;
  const auto has_head_only = BackHead(number);
  if (!has_head_only) return false;
  const MutexLock lock(mutex_);
  if (*has_head_only) heads_.insert(number);
  has_heads_ = !heads_.empty();
  return true;
}

// True if the file has more disk space than the numbers known to be backed need at least: a large
// unit may have its head alone backed.
bool BlockAllocator::MayHideBacked() const {
  const auto bytes = file_->AllocatedBytes();
  const uint64_t known = used() + waiting() + pinned() + preallocated();
  return !bytes || *bytes > known * std::min(unit_bytes_, kHeadBytes);
}

// The numbers that are backed according to the file; nullopt if it does not report extents.
std::optional<std::vector<Run>> BlockAllocator::BackedOf(Run numbers) const {
  std::vector<Run> runs;
  const uint64_t begin = numbers.first * unit_bytes_;
  if (begin >= file_end_) return runs;
  const uint64_t length = std::min(numbers.count * unit_bytes_, file_end_ - begin);
  try {
    const auto parts = file_->BackedParts(begin, length);
    if (!parts && parts.error().code == ErrorCode::kUnsupported) return std::nullopt;
    if (!parts) return runs;
    for (const FilePart& part : *parts) {
      const uint64_t first = (part.offset + unit_bytes_ - 1) / unit_bytes_;
      const uint64_t end = (part.offset + part.length) / unit_bytes_;
      if (first < end) runs.push_back({first, end - first});
    }
  } catch (const std::bad_alloc&) {
    runs.clear();
  }
  return runs;
}

void BlockAllocator::NoteFound(const std::vector<Run>& runs) {
  for (const Run& run : runs) NoteBacked(run, true);
}

// The first test needs no lock: Punch pins numbers before it checks the reservation.
bool BlockAllocator::HasPreallocated(uint64_t count, uint64_t most_pinned) const {
  if (preallocated_ >= count) return true;
  if (most_pinned == 0) return false;
  const MutexLock lock(mutex_);
  return preallocated_ + std::min(pinned_, most_pinned) >= count;
}

Result<void> BlockAllocator::BackUpTo(uint64_t count) {
  const MutexLock lock(mutex_);
  while (preallocated_ < count) {
    const uint64_t index = backing_cursor_;
    if (index >= exhausted_.size()) exhausted_.resize(index + 1);
    if (!exhausted_[index]) {
      KVFS_ASSIGN(const bool backed, BackMore(index, count - preallocated_));
      if (backed) continue;
      exhausted_[index] = true;
    }
    if (backing_cursor_ == index) ++backing_cursor_;
  }
  return {};
}

// Allocates space for free numbers in the bitmap's first words that have some not known to be
// backed; false if there is none.
Result<bool> BlockAllocator::BackMore(uint64_t index, uint64_t want) {
  KVFS_ASSIGN(const Bitmap* bitmap, Load(index));
  if (!bitmap->readable) {
    // Beyond the file's end only damage in an upper level can make a bitmap unreadable.
    if (index * kMapNumbers * unit_bytes_ > file_end_) {
      return Fail(ErrorCode::kCorrupt,
                  "the allocation map is damaged: there is no room to be found");
    }
    return false;
  }
  auto has_more = [&](uint64_t word) { return word < kBitmapWords && bitmap->Unknown(word) != 0; };
  uint64_t word = 0;
  while (word < kBitmapWords && !has_more(word)) ++word;
  if (word == kBitmapWords) return false;
  // A small file grows by a fraction of its size, a larger one for blocks: each growth makes the
  // next sync write the file's metadata, too.
  const uint64_t parts = unit_bytes_ > kHeadBytes ? 4 : 2;
  const uint64_t few = std::max(want, file_end_ / unit_bytes_ / parts);
  if (few < kWordNumbers) return BackFew(index, word, few);
  const uint64_t begin = (index * kBitmapWords + word) * kWordNumbers * unit_bytes_;
  uint64_t words = (want + kWordNumbers - 1) / kWordNumbers;
  // Beyond its end the file grows in larger steps.
  if (begin >= file_end_) {
    const uint64_t growth = std::clamp(file_end_.load() / 8, kMinGrowthBytes, kMaxGrowthBytes);
    words = std::max(words, growth / (uint64_t{kWordNumbers} * unit_bytes_));
  }
  uint64_t count = 1;
  while (count < words && has_more(word + count)) ++count;
  const uint64_t first = (index * kBitmapWords + word) * kWordNumbers;
  auto allocated = Back({first, count * kWordNumbers});
  // If the disk has no room for all words, it may have room for the first.
  if (!allocated && count > 1) allocated = Back({first, kWordNumbers});
  KVFS_TRY(allocated);
  return true;
}

// Allocates space for the first run of a word's numbers not known to be backed.
Result<bool> BlockAllocator::BackFew(uint64_t index, uint64_t word, uint64_t want) {
  const uint64_t bits = bitmaps_.at(index).Unknown(word);
  const auto begin = static_cast<uint64_t>(std::countr_zero(bits));
  const auto length = static_cast<uint64_t>(std::countr_one(bits >> begin));
  const uint64_t first = (index * kBitmapWords + word) * kWordNumbers + begin;
  KVFS_TRY(Back({first, std::min(length, std::max(want, uint64_t{1}))}));
  return true;
}

// For a disk that has no room for a whole word: allocates space for short runs.
void BlockAllocator::BackSingly(uint64_t count) {
  constexpr int kMostFailures = 256;
  const MutexLock lock(mutex_);
  int failures = 0;
  const uint64_t end = file_end_ / unit_bytes_ + kWordNumbers;
  for (uint64_t number = 0; number < end && preallocated_ < count; number += kWordNumbers) {
    const auto bitmap = Load(number / kMapNumbers);
    if (!bitmap) return;
    if (!(*bitmap)->readable) continue;
    for (uint64_t rest = (*bitmap)->Unknown(WordOf(number)); rest != 0 && preallocated_ < count;) {
      const auto begin = static_cast<uint64_t>(std::countr_zero(rest));
      const auto free = static_cast<uint64_t>(std::countr_one(rest >> begin));
      const Run run{number + begin, std::min(free, count - preallocated_)};
      rest &= ~Ones(begin, run.count);
      if (!Back(run) && ++failures == kMostFailures) return;
    }
  }
}

// Allocates disk space for the numbers that have none.
Result<void> BlockAllocator::Back(Run numbers) {
  ++growing_;
  MutexUnlock unlocked(mutex_);
  const MutexLock backing(backing_);
  const bool heads = uses_heads_ && !read_only_ && numbers.count < kWordNumbers;
  Result<void> allocated;
  std::vector<Run> found;
  if (!read_only_ && !heads) {
    found = BackedOf(numbers).value_or(std::vector<Run>());
    const bool has_all = found.size() == 1 && found.front().count == numbers.count;
    if (!has_all) {
      allocated = file_->Allocate(numbers.first * unit_bytes_, numbers.count * unit_bytes_);
    }
  }
  unlocked.lock();
  // Heads are punched and read, so their numbers must still be free and not backed: a number that
  // another thread has preallocated meanwhile may be in use. Unbacked ones are never given out.
  const auto is_open = [&](uint64_t number) KVFS_REQUIRES_LOCK(mutex_) {
    const auto bitmap = bitmaps_.find(number / kMapNumbers);
    return bitmap != bitmaps_.end() &&
           (bitmap->second.Unknown(WordOf(number)) & BitOf(number)) != 0;
  };
  for (uint64_t i = 0; heads && allocated && uses_heads_ && i < numbers.count; ++i) {
    const uint64_t number = numbers.first + i;
    if (!is_open(number)) continue;
    MutexUnlock meanwhile(mutex_);
    const auto has_head = BackHead(number);
    meanwhile.lock();
    if (!has_head) allocated = tl::unexpected(has_head.error());
    if (!has_head) break;
    file_end_ = std::max(file_end_.load(), (number + 1) * unit_bytes_);
    // UseHeads was turned off: the caller's loop allocates whole numbers.
    if (!uses_heads_) break;
    if (*has_head) heads_.insert(number);
    has_heads_ = !heads_.empty();
    NoteBacked({number, 1}, true);
  }
  --growing_;
  NoteFound(found);
  KVFS_TRY(allocated);
  if (heads) return {};
  file_end_ = std::max(file_end_.load(), (numbers.first + numbers.count) * unit_bytes_);
  NoteBacked(numbers, true);
  return {};
}

// Allocates the number's head, and punches the rest. True if the rest reads as zeros; if it could
// not be punched, allocates the whole number and returns false. Within the file only the head is
// allocated, which succeeds even on a full disk if the head is backed already.
Result<bool> BlockAllocator::BackHead(uint64_t number) {
  const uint64_t offset = number * unit_bytes_, rest = unit_bytes_ - kHeadBytes;
  KVFS_ASSIGN(const uint64_t size, file_->SizeBytes());
  const bool is_within = offset + unit_bytes_ <= size;
  KVFS_TRY(file_->Allocate(offset, is_within ? kHeadBytes : unit_bytes_));
  std::vector<std::byte> bytes(rest);
  auto punched = file_->PunchHole(offset + kHeadBytes, rest);
  if (punched) punched = file_->Read(offset + kHeadBytes, bytes);
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (punched && std::ranges::all_of(bytes, is_zero)) return true;
  KVFS_TRY(file_->Allocate(offset, unit_bytes_));
  return false;
}

}  // namespace kvfs
