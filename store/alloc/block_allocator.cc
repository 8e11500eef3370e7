// The lowest preallocated numbers are given out first, so that files stay short, and free space
// collects at their ends, where it can be returned to the disk in long runs.
#include "store/alloc/block_allocator.h"

#include <algorithm>
#include <bit>
#include <new>

#include "store/base/contract.h"

namespace kvfs {

using format::BlockPointer;
using format::kBlockBytes;

namespace {

static_assert(kMapNumbers / 8 == kBlockBytes);
static_assert(kMapFanout * BlockPointer::kBytes == kBlockBytes);

// Maximum number of words with preallocated numbers that are searched for a long run.
constexpr int kSearchedWords = 64;

}  // namespace

BlockAllocator::BlockAllocator(File* file, uint32_t unit_bytes, const BlockFile* blocks,
                               const format::MapRoot& root, uint64_t used, bool read_only,
                               std::optional<uint64_t> file_bytes)
    : file_(file),
      unit_bytes_(unit_bytes),
      blocks_(blocks),
      read_only_(read_only),
      root_(root),
      used_(used) {
  file_end_ = file_bytes ? *file_bytes : file->SizeBytes().value_or(0);
  levels_ = root_.levels;
  map_blocks_ = root_.blocks;
  if (read_only) backing_cursor_ = first_own_bitmap_ = BitmapsOfFile();
}

// The map on disk.

Result<void> BlockAllocator::ReadMapBlock(BlockPointer block, MutableBytes out) {
  const MutexUnlock unlocked(mutex_);
  return blocks_->Read(block, 0, out);
}

Result<BlockPointer> BlockAllocator::Locate(uint32_t level, uint64_t index) {
  if (level + 1 == root_.levels) return index == 0 ? root_.root : BlockPointer{};
  if (level + 1 > root_.levels) return BlockPointer{};
  const std::pair above{level + 1, index / kMapFanout};
  if (!pointers_.contains(above)) {
    KVFS_ASSIGN(const BlockPointer block, Locate(above.first, above.second));
    std::array<std::byte, kBlockBytes> bytes;
    KVFS_TRY(ReadMapBlock(block, bytes));
    auto [row, added] = pointers_.try_emplace(above);
    for (size_t i = 0; added && i < kMapFanout; ++i) {
      row->second[i] = BlockPointer::Decode(bytes.data() + i * BlockPointer::kBytes);
    }
  }
  return pointers_.at(above)[index % kMapFanout];
}

Result<BlockAllocator::Words> BlockAllocator::ReadBitmap(uint64_t index) {
  KVFS_ASSIGN(const BlockPointer block, Locate(0, index));
  Words words{};
  if (block.IsHole()) return words;
  std::array<std::byte, kBlockBytes> bytes;
  KVFS_TRY(ReadMapBlock(block, bytes));
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = LoadLittle<uint64_t>(bytes.data() + i * sizeof(uint64_t));
  }
  return words;
}

Result<BlockAllocator::Bitmap*> BlockAllocator::Load(uint64_t index) {
  if (auto found = bitmaps_.find(index); found != bitmaps_.end()) return &found->second;
  auto words = IsOnDisk(index) ? ReadBitmap(index) : Result<Words>(Words{});
  if (!words && words.error().code != ErrorCode::kCorrupt) {
    return tl::unexpected(std::move(words).error());
  }
  auto [loaded, added] = bitmaps_.try_emplace(index);
  Bitmap& bitmap = loaded->second;
  if (!added) return &bitmap;
  bitmap.readable = words.has_value();
  if (words) bitmap.used = *words;
  if (index == 0) bitmap.pinned[0] |= 1;  // number 0 means none
  return &bitmap;
}

Result<BlockPointer> BlockAllocator::PointerTo(uint32_t level, uint64_t index) {
  const MutexLock lock(mutex_);
  return Locate(level, index);
}

void BlockAllocator::SetPointer(uint32_t level, uint64_t index, BlockPointer pointer) {
  const MutexLock lock(mutex_);
  BlockPointer& place = level + 1 == root_.levels
                            ? root_.root
                            : pointers_[{level + 1, index / kMapFanout}][index % kMapFanout];
  root_.blocks += place.IsHole() ? 1 : 0;
  map_blocks_ = root_.blocks;
  place = pointer;
}

uint32_t BlockAllocator::LevelsFor(uint64_t index) {
  uint32_t levels = 1;
  for (uint64_t room = 1; room <= index; room *= kMapFanout) ++levels;
  return levels;
}

void BlockAllocator::GrowTo(uint64_t index) {
  const MutexLock lock(mutex_);
  for (const uint32_t levels = LevelsFor(index); root_.levels < levels; ++root_.levels) {
    if (root_.levels > 0) pointers_[{root_.levels, 0}][0] = root_.root;
    root_.root = {};
  }
  levels_ = root_.levels;
}

void BlockAllocator::CopyBitmap(uint64_t index, MutableBytes out) const {
  const MutexLock lock(mutex_);
  const Words& used = bitmaps_.at(index).used;
  for (size_t i = 0; i < used.size(); ++i) StoreLittle(out.data() + i * sizeof used[i], used[i]);
}

void BlockAllocator::CopyPointers(uint32_t level, uint64_t index, MutableBytes out) const {
  const MutexLock lock(mutex_);
  const auto& row = pointers_.at({level, index});
  for (size_t i = 0; i < row.size(); ++i) row[i].Encode(out.data() + i * BlockPointer::kBytes);
}

Result<bool> BlockAllocator::LoadBitmap(uint64_t index) {
  const MutexLock lock(mutex_);
  KVFS_ASSIGN(const Bitmap* bitmap, Load(index));
  return bitmap->readable;
}

// Preallocated numbers.

void BlockAllocator::NoteBacked(Run numbers, bool backed) {
  while (numbers.count > 0) {
    const uint64_t word_number = numbers.first / kWordNumbers, bit = numbers.first % kWordNumbers;
    const uint64_t count = std::min(numbers.count, kWordNumbers - bit);
    numbers.first += count;
    numbers.count -= count;
    auto bitmap = bitmaps_.find(word_number / kBitmapWords);
    if (bitmap == bitmaps_.end()) continue;  // dropped meanwhile
    const uint64_t before = PreallocatedWord(word_number);
    uint64_t& word = bitmap->second.backed[word_number % kBitmapWords];
    const uint64_t old = word;
    word = backed ? word | Ones(bit, count) : word & ~Ones(bit, count);
    try {
      NotePreallocated(word_number, before, PreallocatedWord(word_number));
    } catch (const std::bad_alloc&) {
      word = old;
      throw;
    }
  }
}

void BlockAllocator::UseHeads(bool heads) {
  heads = heads && unit_bytes_ > kHeadBytes;
  if (uses_heads_ == heads) return;
  const MutexLock lock(mutex_);
  uses_heads_ = heads;
  if (heads) return;
  // Numbers in use stay in heads_: possibly no more than their head is backed.
  std::erase_if(heads_, [this](uint64_t number) KVFS_REQUIRES_LOCK(mutex_) {
    NoteBacked({number, 1}, false);
    const uint64_t index = number / kMapNumbers;
    if (index < exhausted_.size()) exhausted_[index] = false;
    const auto bitmap = bitmaps_.find(index);
    return bitmap == bitmaps_.end() || (bitmap->second.Free(WordOf(number)) & BitOf(number)) != 0;
  });
  has_heads_ = !heads_.empty();
  backing_cursor_ = 0;
}

bool BlockAllocator::HasHeadOnly(uint64_t number) const {
  if (!has_heads_) return false;
  const MutexLock lock(mutex_);
  return heads_.contains(number);
}

void BlockAllocator::NoteWhole(uint64_t number) {
  const MutexLock lock(mutex_);
  heads_.erase(number);
  has_heads_ = !heads_.empty();
}

uint64_t BlockAllocator::PreallocatedWord(uint64_t word_number) const {
  return bitmaps_.at(word_number / kBitmapWords).Preallocated(word_number % kBitmapWords);
}

// Updates the count and the index after a change of a word's preallocated numbers.
void BlockAllocator::NotePreallocated(uint64_t word_number, uint64_t before, uint64_t after) {
  if (before == 0 && after != 0)
    preallocated_words_.insert(word_number);  // first, since it may throw
  preallocated_ += static_cast<uint64_t>(std::popcount(after));
  preallocated_ -= static_cast<uint64_t>(std::popcount(before));
  if (before != 0 && after == 0) preallocated_words_.erase(word_number);
}

uint64_t BlockAllocator::BitmapsOfFile() const {
  const uint64_t bitmap_bytes = kMapNumbers * unit_bytes_;
  return (file_end_ + bitmap_bytes - 1) / bitmap_bytes;
}

// Giving numbers out, and freeing them.

// The first run of `want` numbers in the first kSearchedWords words, or else the longest run.
Run BlockAllocator::FindPreallocated(uint64_t want) const {
  Run best, current;
  int searched = 0;
  for (const uint64_t word_number : preallocated_words_) {
    uint64_t bits = PreallocatedWord(word_number);
    while (bits != 0) {
      const auto begin = static_cast<uint64_t>(std::countr_zero(bits));
      const auto length = static_cast<uint64_t>(std::countr_one(bits >> begin));
      const uint64_t number = word_number * kWordNumbers + begin;
      if (current.first + current.count == number && current.count > 0) {
        current.count += length;
      } else {
        current = {number, length};
      }
      if (current.count > best.count) best = current;
      if (best.count >= want) return {best.first, want};
      bits &= ~Ones(begin, length);
    }
    if (++searched >= kSearchedWords) break;
  }
  return best;
}

void BlockAllocator::SetPinned(Run run, bool pinned) {
  while (run.count > 0) {
    const uint64_t word_number = run.first / kWordNumbers, bit = run.first % kWordNumbers;
    const uint64_t count = std::min(run.count, kWordNumbers - bit);
    const uint64_t before = PreallocatedWord(word_number);
    uint64_t& word = At(run.first).pinned[WordOf(run.first)];
    const uint64_t old = word;
    word = pinned ? word | Ones(bit, count) : word & ~Ones(bit, count);
    try {
      NotePreallocated(word_number, before, PreallocatedWord(word_number));
    } catch (const std::bad_alloc&) {
      word = old;
      throw;
    }
    const uint64_t index = run.first / kMapNumbers;
    if (!pinned && index < exhausted_.size()) exhausted_[index] = false;
    run.first += count;
    run.count -= count;
  }
}

Run BlockAllocator::Pin(uint64_t want) {
  const MutexLock lock(mutex_);
  if (want == 0) return {};
  const Run run = FindPreallocated(want);
  SetPinned(run, true);
  pinned_ += run.count;
  return run;
}

// Called by destructors. Without memory the numbers stay pinned until the store is reopened.
void BlockAllocator::Unpin(Run run) {
  const MutexLock lock(mutex_);
  for (uint64_t number = run.first; number < run.first + run.count; ++number) {
    Demand((At(number).pinned[WordOf(number)] & BitOf(number)) != 0,
           "what is given back is pinned, and is given back once");
  }
  try {
    SetPinned(run, false);
  } catch (const std::bad_alloc&) {
  }
  pinned_ -= run.count;
}

void BlockAllocator::Allocate(Run run) {
  if (run.count == 0) return;
  const MutexLock lock(mutex_);
  Demand(pinned_ >= run.count, "a number is pinned before it is allocated");
  allocated_.push_back(run);
  allocated_count_ += run.count;
  pinned_ -= run.count;
}

Result<void> BlockAllocator::Mark(uint64_t number) {
  const MutexLock lock(mutex_);
  KVFS_ASSIGN(const Bitmap* bitmap, Load(number / kMapNumbers));
  const uint64_t bit = BitOf(number), word = WordOf(number);
  if (!bitmap->readable || ((bitmap->used[word] | bitmap->pinned[word]) & bit) != 0) return {};
  SetPinned({number, 1}, true);
  allocated_.push_back({number, 1});
  ++allocated_count_;
  return {};
}

void BlockAllocator::FreeLater(uint64_t number) {
  if (number == 0) return;  // a forged bitmap may say it is used; it must never be given out
  const MutexLock lock(mutex_);
  freed_.push_back(number);
}

uint64_t BlockAllocator::settled_used() const {
  const MutexLock lock(mutex_);
  return used_;
}

uint64_t BlockAllocator::used() const {
  const MutexLock lock(mutex_);
  const uint64_t freed = freed_.size() + closed_freed_.size();
  return std::max(used_ + allocated_count_, freed) - freed;
}

uint64_t BlockAllocator::waiting() const {
  const MutexLock lock(mutex_);
  return settled_.size() + waiting_count_ + freed_.size() + closed_freed_.size();
}

uint64_t BlockAllocator::pinned() const {
  const MutexLock lock(mutex_);
  return pinned_;
}

// Checkpoints.

void BlockAllocator::CloseEpoch() {
  const MutexLock lock(mutex_);
  closed_allocated_.insert(closed_allocated_.end(), allocated_.begin(), allocated_.end());
  closed_freed_.insert(closed_freed_.end(), freed_.begin(), freed_.end());
  allocated_.clear();
  freed_.clear();
}

void BlockAllocator::AddToClosed(const std::vector<Run>& allocated,
                                 const std::vector<uint64_t>& freed) {
  const MutexLock lock(mutex_);
  for (const Run& run : allocated) {
    Demand(pinned_ >= run.count, "a number is pinned before it is allocated");
    closed_allocated_.push_back(run);
    allocated_count_ += run.count;
    pinned_ -= run.count;
  }
  closed_freed_.insert(closed_freed_.end(), freed.begin(), freed.end());
}

// The numbers to drop were added last.
void BlockAllocator::DropFromClosed(const std::vector<Run>& allocated,
                                    const std::vector<uint64_t>& freed) {
  const MutexLock lock(mutex_);
  closed_allocated_.resize(closed_allocated_.size() - allocated.size());
  closed_freed_.resize(closed_freed_.size() - freed.size());
  for (const Run& run : allocated) {
    allocated_count_ -= run.count;
    SetPinned(run, false);
  }
}

uint64_t BlockAllocator::closed_allocated() const {
  const MutexLock lock(mutex_);
  uint64_t total = 0;
  for (const Run& run : closed_allocated_) total += run.count;
  return total;
}

Result<std::set<uint64_t>> BlockAllocator::LoadClosed() {
  std::set<uint64_t> touched, readable;
  {
    const MutexLock lock(mutex_);
    for (const Run& run : closed_allocated_) {
      for (uint64_t number = run.first; number < run.first + run.count; number += kWordNumbers) {
        touched.insert(number / kMapNumbers);
      }
      touched.insert((run.first + run.count - 1) / kMapNumbers);
    }
    const uint64_t end = file_end_ / unit_bytes_;
    for (const uint64_t number : closed_freed_) {
      if (number < end) touched.insert(number / kMapNumbers);
    }
  }
  for (const uint64_t index : touched) {
    KVFS_ASSIGN(const bool is_readable, LoadBitmap(index));
    if (is_readable) readable.insert(index);
  }
  return readable;
}

void BlockAllocator::Settle() {
  const MutexLock lock(mutex_);
  for (const Run& run : closed_allocated_) {
    for (uint64_t number = run.first; number < run.first + run.count; ++number) {
      Bitmap& bitmap = At(number);
      bitmap.pinned[WordOf(number)] &= ~BitOf(number);
      bitmap.used[WordOf(number)] |= BitOf(number);
    }
    used_ += run.count;
    allocated_count_ -= run.count;
  }
  for (const uint64_t number : closed_freed_) {
    const auto found = bitmaps_.find(number / kMapNumbers);
    // A number that is not used comes from a damaged pointer.
    if (found == bitmaps_.end() || !found->second.readable) continue;
    uint64_t& used = found->second.used[WordOf(number)];
    if ((used & BitOf(number)) == 0) continue;
    used &= ~BitOf(number);
    found->second.pinned[WordOf(number)] |= BitOf(number);
    --used_;
    settled_.push_back(number);
  }
  closed_allocated_.clear();
  closed_freed_.clear();
}

void BlockAllocator::CheckpointDurable(uint64_t epoch) {
  const MutexLock lock(mutex_);
  backing_cursor_ = 0;
  if (settled_.empty()) return;
  waiting_count_ += settled_.size();
  waiting_.push_back({epoch, std::move(settled_)});
  settled_.clear();
}

void BlockAllocator::FreeUpTo(uint64_t epoch) {
  const MutexLock lock(mutex_);
  while (!waiting_.empty() && waiting_.front().epoch <= epoch) {
    for (const uint64_t number : waiting_.front().numbers) SetPinned({number, 1}, false);
    waiting_count_ -= waiting_.front().numbers.size();
    waiting_.pop_front();
    backing_cursor_ = 0;
  }
}

}  // namespace kvfs
