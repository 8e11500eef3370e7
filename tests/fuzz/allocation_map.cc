// An allocation map built from the input's blocks, under correct checksums: whatever they contain,
// no number in use is allocated, and none is allocated twice.
//
// The input: the operations, 32 bytes; the only bitmap of the map; and the block of pointers above
// it, if the map has two levels.
#include <set>

#include "store/alloc/allocator_writer.h"
#include "store/alloc/block_allocator.h"
#include "store/env/memory_env.h"
#include "tests/fuzz/target.h"

namespace kvfs::fuzz {
namespace {

using format::kBlockBytes;

constexpr size_t kSteps = 16;
constexpr uint64_t kRow = 1, kBitmap = 2, kOwnBitmap = 3;  // blocks of the file
constexpr uint64_t kUnitBytes = 4096, kFileUnits = 100;

class Trial {
 public:
  Trial(Bytes bitmap, Bytes row)
      : pages_(env_.CreateFile("pages").value()),
        values_(env_.CreateFile("values").value()),
        store_(values_.get(), 7, /*read_only=*/false) {
    Require(pages_->Allocate(0, kFileUnits * kUnitBytes).has_value(), "there is a disk");
    const auto root =
        WriteMap(Resized(bitmap, kBlockBytes), Resized(row, kBlockBytes), row.empty());
    Input own(kBlockBytes);
    own[0] = std::byte{0b1110};
    const auto own_root = WriteBlock(kOwnBitmap, own);
    map_.emplace(pages_.get(), kUnitBytes, &store_, root, CountUsed(bitmap));
    blocks_.emplace(values_.get(), kBlockBytes, &store_, format::MapRoot{own_root, 1, 1}, 3);
  }

  void Do(uint8_t what, uint8_t argument) {
    switch (what % 8) {
      case 0:
        return static_cast<void>(map_->Preallocate(argument % 80));
      case 1:
        return Pin(argument % 80);
      case 2:
        return LetGo(/*takes=*/true);
      case 3:
        return LetGo(/*takes=*/false);
      case 4:
        return Free(argument % 8 == 0 ? uint64_t{argument} << 40 : argument);
      case 5:
        return Mark(argument);
      case 6:
        return Checkpoint();
      default:
        return argument % 2 == 0 ? map_->Trim(0, 1) : map_->TrimAll();
    }
  }

 private:
  format::BlockPointer WriteBlock(uint64_t number, Bytes block) {
    Require(store_.Write(number, block).has_value(), "there is a disk");
    return {number, store_.ChecksumOf(block)};
  }
  // The first pointer of the upper block refers to the bitmap; the others are arbitrary.
  format::MapRoot WriteMap(const Input& bitmap, Input row, bool is_flat) {
    used_bits_ = bitmap;
    const auto pointer = WriteBlock(kBitmap, bitmap);
    if (is_flat) return {pointer, 1, 1};
    pointer.Encode(row.data());
    return {WriteBlock(kRow, row), 2, 2};
  }
  static uint64_t CountUsed(Bytes bitmap) {
    uint64_t used = 0;
    for (const std::byte byte : bitmap) used += static_cast<uint64_t>(std::popcount(uint8_t(byte)));
    return used;
  }

  // According to the bitmap, or to later operations.
  bool IsUsed(uint64_t number) const {
    if (taken_.contains(number)) return true;
    if (freed_.contains(number) || number >= kMapNumbers) return false;
    return (uint8_t(used_bits_[number / 8]) >> number % 8 & 1) != 0;
  }
  void Pin(uint64_t count) {
    const Run run = map_->Pin(count);
    Require(run.count <= count, "no more is given than was asked for");
    for (uint64_t number = run.first; number < run.first + run.count; ++number) {
      Require(number != 0 && !IsUsed(number) && held_.insert(number).second,
              "what is in use is not given out");
    }
    if (run.count > 0) runs_.push_back(run);
  }
  void LetGo(bool takes) {
    if (runs_.empty()) return;
    const Run run = runs_.back();
    runs_.pop_back();
    if (takes) {
      map_->Allocate(run);
    } else {
      map_->Unpin(run);
    }
    for (uint64_t number = run.first; number < run.first + run.count; ++number) {
      held_.erase(number);
      if (takes) taken_.insert(number);
    }
  }
  void Mark(uint64_t number) {
    const bool marks = number != 0 && !IsUsed(number) && !held_.contains(number);
    if (map_->Mark(number) && marks) taken_.insert(number);
  }
  void Free(uint64_t number) {
    map_->FreeLater(number);
    to_free_.push_back(number);
  }
  void Checkpoint() {
    map_->CloseEpoch();
    blocks_->CloseEpoch();
    AllocatorWriter writer(&*map_, &*blocks_, &store_);
    // From here on the map may be unchanged or not, so the test ends.
    if (!writer.Prepare() || !writer.Write()) return;
    ++epoch_;
    for (BlockAllocator* map : {&*map_, &*blocks_}) {
      map->CheckpointDurable(epoch_);
      map->FreeUpTo(epoch_);
    }
    for (const uint64_t number : to_free_) {
      if (held_.contains(number)) continue;
      taken_.erase(number);
      freed_.insert(number);
    }
    to_free_.clear();
  }

  MemoryEnv env_;
  std::unique_ptr<File> pages_, values_;
  BlockFile store_;
  std::optional<BlockAllocator> map_, blocks_;
  Input used_bits_;
  std::set<uint64_t> held_, taken_, freed_;
  std::vector<Run> runs_;
  std::vector<uint64_t> to_free_;
  uint64_t epoch_ = 1;
};

void TryInput(Bytes input) {
  InputReader reader(input);
  const Bytes steps = reader.Take(2 * kSteps);
  const Bytes bitmap = reader.Take(kBlockBytes);
  Trial trial(bitmap, reader.Rest());
  InputReader what(steps);
  while (!what.empty()) {
    const uint8_t step = what.Byte();
    trial.Do(step, what.Byte());
  }
}

std::vector<Input> Seeds() {
  Input steps(2 * kSteps);
  for (size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<std::byte>(i * 5 + 1);
  Input empty = steps, some = steps;
  some.resize(steps.size() + kBlockBytes);
  for (size_t i = 0; i < 20; ++i) some[steps.size() + i] = static_cast<std::byte>(0x5e + i * 3);
  Input two_levels = some;
  two_levels.resize(some.size() + kBlockBytes);
  two_levels[some.size() + format::BlockPointer::kBytes] = std::byte{kBitmap};
  return {empty, some, two_levels};
}

}  // namespace

const Target kAllocationMap = {"allocation_map", TryInput, Seeds, 1500};

}  // namespace kvfs::fuzz
