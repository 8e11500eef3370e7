// Splits a row of records into pages of one level, as full as possible: pages in a long row get
// `target` bytes, and the last two share the rest evenly.
//
// Level is LeafLevel or BranchLevel (level.h). Records borrow their bytes, which must stay readable
// until the records are in a page.
#pragma once

#include <vector>

#include "store/btree/level.h"

namespace kvfs {

template <typename Level>
class PageSplitter {
 public:
  using Record = typename Level::Record;
  // The records of one page, and its key: a lower bound of theirs.
  struct Piece {
    std::span<const Record> records;
    format::RecordKey key;
  };

  PageSplitter(uint32_t capacity, uint32_t target) : capacity_(capacity), target_(target) {}

  void Add(const Record& record) {
    const bool is_first = records_.size() == head_;
    const uint32_t cost = Level::BytesOf(record, is_first ? nullptr : &records_.back());
    records_.push_back(record);
    costs_.push_back(cost);
    bytes_ += cost;
  }

  bool empty() const { return records_.size() == head_; }
  // There are records for a full page, and enough for another.
  bool HasFullPage() const { return bytes_ > target_ + capacity_; }
  // The remaining records would make pages that are less than three quarters full.
  bool IsPoor() const {
    const uint32_t pages = (bytes_ + capacity_ - 1) / capacity_;
    return !empty() && bytes_ < pages * (capacity_ / 4 * 3);
  }

  // Cuts the next page's records off; valid until the next Add.
  Piece Cut() {
    if (HasFullPage()) return CutFirst(CountFor(target_));
    if (bytes_ <= capacity_) return CutFirst(records_.size() - head_);
    // Numbered records are appended in order: the next ones will follow the last.
    if (Level::IsNumbered(records_.back())) return CutFirst(CountFor(target_));
    return CutFirst(CountFor((bytes_ + 1) / 2));
  }

 private:
  // How many records make about `wanted` bytes: at least one, and no more than fit in a page.
  size_t CountFor(uint32_t wanted) const {
    size_t count = 0;
    for (uint32_t bytes = 0; bytes < wanted && head_ + count < records_.size(); ++count) {
      bytes += costs_[head_ + count];
      if (bytes > capacity_) break;
    }
    return std::max<size_t>(count, 1);
  }

  Piece CutFirst(size_t count) {
    if (head_ > records_.size() / 2) Compact();
    Piece piece{std::span(records_).subspan(head_, count), {}};
    piece.key = Level::KeyOf(head_ > 0 ? &records_[head_ - 1] : nullptr, piece.records.front());
    for (size_t i = 0; i < count; ++i) bytes_ -= costs_[head_ + i];
    head_ += count;
    if (head_ < records_.size()) {
      // The first record of a page may need more bytes.
      const uint32_t cost = Level::BytesOf(records_[head_], nullptr);
      bytes_ += cost - costs_[head_];
      costs_[head_] = cost;
    }
    return piece;
  }

  // Drops the records already cut off, except the last, from which the next key is made.
  void Compact() {
    const auto gone = static_cast<ptrdiff_t>(head_ - 1);
    records_.erase(records_.begin(), records_.begin() + gone);
    costs_.erase(costs_.begin(), costs_.begin() + gone);
    head_ = 1;
  }

  const uint32_t capacity_;
  const uint32_t target_;
  std::vector<Record> records_;
  std::vector<uint32_t> costs_;
  size_t head_ = 0;     // the first that is not cut off
  uint32_t bytes_ = 0;  // of all of those in one page
};

}  // namespace kvfs
