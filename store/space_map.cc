// Numbers are given out lowest first within what is backed, so that files stay short and the
// free space gathers at their ends, where whole words can be returned to the disk.
#include "store/space_map.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace kvfs {
namespace {

constexpr size_t kMaxIdleGroups = 256;
constexpr uint64_t kMinGrowthBytes = uint64_t{256} << 10;
constexpr uint64_t kMaxGrowthBytes = uint64_t{16} << 20;

uint64_t GroupOf(uint64_t number) { return number / kGroupNumbers; }
uint32_t WordOf(uint64_t number) { return number / kWordNumbers % kGroupWords; }
uint64_t BitOf(uint64_t number) { return uint64_t{1} << number % kWordNumbers; }

}  // namespace

SpaceMap::SpaceMap(File* file, uint32_t unit_bytes, uint64_t used, Loader load)
    : file_(file), unit_bytes_(unit_bytes), load_(std::move(load)), used_(used) {
  file_end_ = file->SizeBytes().value_or(0);
}

Result<SpaceMap::Group*> SpaceMap::Load(uint64_t group_number) {
  if (auto found = groups_.find(group_number); found != groups_.end()) return &found->second;
  auto words = load_(group_number);
  if (!words && words.error().code != ErrorCode::kCorrupt) {
    return tl::unexpected(std::move(words).error());
  }
  Group& group = groups_[group_number];
  group.readable = words.has_value();
  if (words) group.used = *words;
  // Number 0 is the file's own header.
  if (group_number == 0) group.used[0] |= 1;
  return &group;
}

SpaceMap::Group* SpaceMap::Find(uint64_t number) {
  auto found = groups_.find(GroupOf(number));
  return found == groups_.end() ? nullptr : &found->second;
}

Result<void> SpaceMap::Reserve(uint64_t count) {
  while (ready_ < count) {
    if (reserve_cursor_ >= exhausted_.size()) exhausted_.resize(reserve_cursor_ + 1);
    if (!exhausted_[reserve_cursor_]) {
      KVFS_ASSIGN(Group * group, Load(reserve_cursor_));
      // Groups behind the file's end have no record; if they seem to, the tree itself is damaged.
      if (!group->readable && reserve_cursor_ >= GroupOf(file_end_ / unit_bytes_) + 1) {
        groups_.erase(reserve_cursor_);
        return Fail(ErrorCode::kCorrupt, "the space map is damaged: there is no room to be found");
      }
      KVFS_ASSIGN(bool backed, BackOneMore(reserve_cursor_, *group));
      if (backed) continue;
      exhausted_[reserve_cursor_] = true;
    }
    ++reserve_cursor_;
  }
  return {};
}

// Backs the free numbers of the group's first word that has some that are not; false if none has.
Result<bool> SpaceMap::BackOneMore(uint64_t group_number, Group& group) {
  if (!group.readable) return false;
  for (uint32_t word = 0; word < kGroupWords; ++word) {
    if ((group.Free(word) & ~group.backed[word]) == 0) continue;
    KVFS_TRY(BackWord(group_number, group, word));
    return true;
  }
  return false;
}

Result<void> SpaceMap::BackWord(uint64_t group_number, Group& group, uint32_t word) {
  const uint64_t word_number = group_number * kGroupWords + word;
  const uint64_t word_bytes = uint64_t{kWordNumbers} * unit_bytes_;
  const uint64_t begin = word_number * word_bytes, end = begin + word_bytes;
  if (end > file_end_) {
    // Beyond the end: grow in larger steps, or exactly if the disk has no room for one.
    uint64_t growth = std::clamp(file_end_ / 8, kMinGrowthBytes, kMaxGrowthBytes);
    uint64_t new_end = std::max(end, (file_end_ + growth) / word_bytes * word_bytes);
    if (!file_->Allocate(begin, new_end - begin)) {
      new_end = end;
      KVFS_TRY(file_->Allocate(begin, word_bytes));
    }
    file_end_ = new_end;
  } else {
    KVFS_TRY(file_->Allocate(begin, word_bytes));
  }
  ready_ += static_cast<uint64_t>(std::popcount(group.Free(word) & ~group.backed[word]));
  group.backed[word] = ~uint64_t{0};
  ready_words_.insert(word_number);
  return {};
}

uint64_t SpaceMap::TakeReady(bool hold) {
  if (ready_words_.empty()) {
    // Reserving has promised too little, an error in this program. Rather than that it becomes one
    // of the disk: end here, where nothing that was acknowledged is lost.
    std::fputs("kvfs: a change took more pages or blocks than were reserved for it\n", stderr);
    std::abort();
  }
  const uint64_t word_number = *ready_words_.begin();
  Group& group = groups_.at(word_number / kGroupWords);
  const uint32_t word = static_cast<uint32_t>(word_number % kGroupWords);
  const uint64_t ready = group.Ready(word);
  const uint64_t number =
      word_number * kWordNumbers + static_cast<uint64_t>(std::countr_zero(ready));
  --ready_;
  ++allocated_;
  if (std::has_single_bit(ready)) ready_words_.erase(ready_words_.begin());
  if (hold) {
    group.held[word] |= BitOf(number);
  } else {
    SetUsed(number, group);
  }
  return number;
}

void SpaceMap::SetUsed(uint64_t number, Group& group) {
  group.used[WordOf(number)] |= BitOf(number);
  dirty_.insert(GroupOf(number));
  ++used_;
}

uint64_t SpaceMap::Allocate() { return TakeReady(false); }

std::vector<uint64_t> SpaceMap::Hold(uint64_t count) {
  std::vector<uint64_t> numbers;
  numbers.reserve(count);
  for (uint64_t i = 0; i < count; ++i) numbers.push_back(TakeReady(true));
  return numbers;
}

Result<void> SpaceMap::Mark(uint64_t number) {
  KVFS_ASSIGN(Group * group, Load(GroupOf(number)));
  const uint32_t word = WordOf(number);
  const uint64_t bit = BitOf(number);
  if (!group->readable || (group->used[word] & bit)) return {};
  if (group->Ready(word) & bit) {
    --ready_;
    if (group->Ready(word) == bit) ready_words_.erase(number / kWordNumbers);
  }
  group->held[word] &= ~bit;
  SetUsed(number, *group);
  return {};
}

void SpaceMap::Release(const std::vector<uint64_t>& numbers) {
  for (uint64_t number : numbers) {
    Group& group = *Find(number);
    group.held[WordOf(number)] &= ~BitOf(number);
    MakeFree(number, group);
  }
}

// The number has just become neither used nor held.
void SpaceMap::MakeFree(uint64_t number, Group& group) {
  if (group.backed[WordOf(number)] & BitOf(number)) {
    ++ready_;
    ready_words_.insert(number / kWordNumbers);
  } else if (GroupOf(number) < exhausted_.size()) {
    exhausted_[GroupOf(number)] = false;
  }
}

void SpaceMap::FreeNow(uint64_t number) {
  Group& group = *Find(number);  // dirty since the number was allocated, and so not dropped
  group.used[WordOf(number)] &= ~BitOf(number);
  dirty_.insert(GroupOf(number));
  --used_;
  MakeFree(number, group);
}

Result<void> SpaceMap::SettleFreed() {
  std::vector<uint64_t> freed = std::move(freed_);
  freed_.clear();
  for (uint64_t number : freed) {
    KVFS_ASSIGN(Group * group, Load(GroupOf(number)));
    const uint32_t word = WordOf(number);
    if (!group->readable || !(group->used[word] & BitOf(number))) continue;
    group->used[word] &= ~BitOf(number);
    group->held[word] |= BitOf(number);
    dirty_.insert(GroupOf(number));
    --used_;
    settled_.push_back(number);
  }
  return {};
}

std::pair<uint64_t, GroupWords> SpaceMap::TakeDirtyGroup() {
  const uint64_t group = *dirty_.begin();
  dirty_.erase(dirty_.begin());
  return {group, groups_.at(group).used};
}

void SpaceMap::StayDirty(uint64_t group) { dirty_.insert(group); }

uint64_t SpaceMap::GroupsToStore() const {
  const uint64_t all = GroupOf(file_end_ / unit_bytes_) + 1;
  return std::min<uint64_t>(all, dirty_.size() + freed_.size());
}

void SpaceMap::CloseEpoch() {
  closed_.insert(closed_.end(), settled_.begin(), settled_.end());
  settled_.clear();
  closed_allocated_ = allocated_;
  allocated_ = 0;
  reserve_cursor_ = 0;
}

void SpaceMap::CheckpointDurable(uint64_t spare, uint32_t run) {
  for (uint64_t number : closed_) {
    Group& group = *Find(number);
    group.held[WordOf(number)] &= ~BitOf(number);
    MakeFree(number, group);
  }
  closed_.clear();
  reserve_cursor_ = 0;
  PunchWords(spare, run);
  DropIdleGroups();
}

// From the file's end, where the fewest new pages will want to be.
void SpaceMap::PunchWords(uint64_t spare, uint32_t run) {
  auto at = ready_words_.end();
  while (at != ready_words_.begin() && ready_ >= spare + kWordNumbers) {
    --at;
    const uint64_t word_number = *at;
    Group& group = groups_.at(word_number / kGroupWords);
    if (!PunchRuns(word_number, group, run)) return;
    if (group.Ready(static_cast<uint32_t>(word_number % kGroupWords)) == 0) {
      at = ready_words_.erase(at);
    }
  }
}

// False if the disk could not do it.
bool SpaceMap::PunchRuns(uint64_t word_number, Group& group, uint32_t run) {
  const uint32_t word = static_cast<uint32_t>(word_number % kGroupWords);
  uint64_t ready = group.Ready(word);
  while (ready != 0) {
    const int begin = std::countr_zero(ready);
    const int length = std::countr_one(ready >> begin);
    const uint64_t ones = length == 64 ? ~uint64_t{0} : ((uint64_t{1} << length) - 1) << begin;
    ready &= ~ones;
    if (static_cast<uint32_t>(length) < run) continue;
    const uint64_t first = word_number * kWordNumbers + static_cast<uint64_t>(begin);
    if (!file_->PunchHole(first * unit_bytes_, static_cast<uint64_t>(length) * unit_bytes_)) {
      return false;
    }
    group.backed[word] &= ~ones;
    ready_ -= static_cast<uint64_t>(length);
    exhausted_[word_number / kGroupWords] = false;
  }
  return true;
}

// Groups that hold nothing that their record does not say, and give nothing out.
void SpaceMap::DropIdleGroups() {
  if (groups_.size() <= kMaxIdleGroups) return;
  std::erase_if(groups_, [this](const auto& item) {
    const auto& [number, group] = item;
    const auto ready = ready_words_.lower_bound(number * kGroupWords);
    const bool gives = ready != ready_words_.end() && *ready / kGroupWords == number;
    return !gives && !dirty_.contains(number) &&
           std::ranges::all_of(group.held, [](uint64_t word) { return word == 0; });
  });
}

}  // namespace kvfs
