// Writes one level of a shard's next tree: see tree_writer.h.
//
// A *visit* rewrites a row of neighbouring pages of the last tree together. Its result is a row of
// changes for the level above: the keys of the removed pages, and the keys and pointers of the new
// ones.
//
// INVARIANT: a page's key is not above any key below it, and above all keys of the page before it.
// The key of a branch is that of its first child; only the leftmost pages of the tree may hold keys
// lower than their own.
#pragma once

#include <algorithm>
#include <vector>

#include "store/btree/level_walker.h"
#include "store/btree/page_splitter.h"
#include "store/btree/page_writer.h"

namespace kvfs {

// An unreadable branch above the level, and the changes that belong below it.
template <typename Change>
struct DamagedPart {
  uint32_t level = 0;
  std::optional<format::RecordKey> stored_key;  // of the branch in its parent, if it has one
  format::RecordKey lower_key;
  std::span<const Change> changes;
};

template <typename Level>
class LevelWriter {
 public:
  using Change = typename Level::Change;

  // Both must outlive the writer.
  LevelWriter(PageWriter* maker, const Tree& last, uint32_t level, bool rewrites_all)
      : maker_(*maker),
        last_(last),
        level_(level),
        rewrites_all_(rewrites_all),
        walker_(last, level),
        filler_(maker->capacity(), maker->target()) {}

  // Applies the changes, which ascend by key; returns those for the level above. Changes that
  // belong below an unreadable branch are left out, and returned by damaged().
  Result<std::vector<BranchChange>> Write(std::span<const Change> changes) {
    changes_ = changes;
    bool has_more = rewrites_all_;
    while (has_more || HasChange()) {
      KVFS_TRY(Visit(rewrites_all_ ? end_key_.value_or(format::RecordKey{}) : changes_[next_].key));
      has_more = rewrites_all_ && end_key_.has_value();
    }
    return std::move(above_);
  }

  // Builds pages from the changes alone; `lower_key` is the key of the first page.
  Result<std::vector<BranchChange>> WriteNew(std::span<const Change> changes, uint8_t flags,
                                             format::RecordKey lower_key) {
    flags_ = flags;
    lower_key_ = lower_key;
    for (const Change& change : changes) {
      if (!Level::IsErased(change)) filler_.Add(Level::ToRecord(change));
    }
    KVFS_TRY(EndVisit());
    return std::move(above_);
  }

  const std::vector<DamagedPart<Change>>& damaged() const { return damaged_; }
  // The last tree's root was among the removed pages.
  bool has_left_root() const { return has_left_root_; }
  // Some records that a visited page held, or once held, are not in the new tree.
  bool has_met_damage() const { return has_met_damage_; }

 private:
  static constexpr int kMaxTakenIn = 2;
  static constexpr bool kIsLeaf = std::is_same_v<Level, LeafLevel>;

  bool HasChange() const { return next_ < changes_.size(); }
  bool HasChangeHere() const { return next_ < here_end_; }
  // After the walker has moved to a page: finds the changes that belong to it.
  void Arrive() {
    here_end_ = changes_.size();
    if (!walker_.HasUpperKey()) return;
    const auto rest = changes_.subspan(next_);
    const auto end = std::ranges::lower_bound(rest, walker_.UpperKey(), {}, &Change::key);
    here_end_ = next_ + static_cast<size_t>(end - rest.begin());
  }
  bool IsIncomplete(format::PageView page) const {
    return page.IsLeaf() && last_.pages().AsLeaf(page).IsIncomplete();
  }
  void NoteEnd() {
    end_key_.reset();
    if (walker_.HasUpperKey()) end_key_ = walker_.UpperKey();
  }

  Result<void> Visit(const format::RecordKey& from) {
    auto sought = walker_.Seek(from);
    Arrive();
    NoteEnd();
    lower_key_ = walker_.LowerKey();
    flags_ = 0;
    if (!sought) return LeaveOut(std::move(sought).error());
    auto page = last_.pages().Check(walker_.page());
    if (!page) return VisitDamaged(std::move(page).error());
    SkipVoidChanges(*page);
    if (!rewrites_all_ && !HasChangeHere()) return {};
    if (IsIncomplete(*page)) {
      flags_ = format::kIncompleteLeaf;
      has_met_damage_ = true;
    }
    TakeIn(*page);
    if (flags_ == 0) KVFS_TRY(TakeInNeighbours());
    return EndVisit();
  }

  // Takes in the following pages, as long as they have changes or help to fill the new pages.
  Result<void> TakeInNeighbours() {
    for (int unchanged = 0; walker_.HasUpperKey();) {
      auto moved = walker_.Next();
      if (!moved) return {};  // damage: a visit of its own
      Arrive();
      auto page = last_.pages().Check(walker_.page());
      if (!page || IsIncomplete(*page)) return {};
      const bool is_changed = rewrites_all_ || HasChangeHere();
      if (!is_changed && (!filler_.IsPoor() || unchanged == kMaxTakenIn)) return {};
      unchanged = is_changed ? 0 : unchanged + 1;
      TakeIn(*page);
      NoteEnd();
      KVFS_TRY(WriteFullPages());
    }
    return {};
  }

  // Erasing absent records is no reason to rewrite a page.
  void SkipVoidChanges(format::PageView page) {
    if constexpr (kIsLeaf) {
      while (HasChangeHere() && changes_[next_].is_erased &&
             !last_.pages().AsLeaf(page).Find(changes_[next_].key)) {
        ++next_;
      }
    }
  }

  // Merges the page's records with the changes here.
  void TakeIn(format::PageView page) {
    Level::ForEach(last_.pages(), page, [this](const auto& record) {
      bool is_replaced = false;
      while (HasChangeHere() && changes_[next_].key <= record.key) {
        is_replaced |= changes_[next_].key == record.key;
        AddChange();
      }
      if (!is_replaced) filler_.Add(record);
    });
    while (HasChangeHere()) AddChange();
    LeavePage();
    maker_.Free(page.self());
  }

  void AddChange() {
    const Change& change = changes_[next_++];
    if (!Level::IsErased(change)) filler_.Add(Level::ToRecord(change));
  }

  // Removes the walker's page from the next tree.
  void LeavePage() {
    maker_.CountPage(kIsLeaf, -1);
    if (walker_.HasParent()) {
      gone_.push_back({walker_.StoredKey(), std::nullopt, 0});
    } else {
      has_left_root_ = true;
    }
  }

  Result<void> VisitDamaged(Error error) {
    const bool is_needed = !kIsLeaf && HasChangeHere();
    if (is_needed || error.code != ErrorCode::kCorrupt) return tl::unexpected(std::move(error));
    has_met_damage_ = true;
    const size_t begin = next_;
    while (HasChangeHere()) AddChange();
    // If there is nothing to store, the page stays where it is.
    if (begin == next_ || filler_.empty()) return {};
    flags_ = format::kIncompleteLeaf;
    LeavePage();
    return EndVisit();
  }

  Result<void> LeaveOut(Error error) {
    if (error.code != ErrorCode::kCorrupt) return tl::unexpected(std::move(error));
    has_met_damage_ = true;
    DamagedPart<Change> part{walker_.level(), std::nullopt, walker_.LowerKey(), {}};
    if (walker_.HasParent()) part.stored_key = walker_.StoredKey();
    const size_t begin = next_;
    while (HasChangeHere()) ++next_;
    part.changes = changes_.subspan(begin, next_ - begin);
    if (!part.changes.empty()) damaged_.push_back(part);
    return {};
  }

  Result<void> WriteFullPages() {
    while (filler_.HasFullPage()) KVFS_TRY(WritePage(filler_.Cut()));
    return {};
  }

  Result<void> WritePage(const typename PageSplitter<Level>::Piece& piece) {
    KVFS_ASSIGN(const NewPage page, maker_.Make(kIsLeaf));
    Level::Encode(piece.records, flags_, page.self, last_.pages().checksum_seed(), page.bytes);
    come_.push_back({piece.key, page.self, static_cast<uint32_t>(piece.records.size())});
    return {};
  }

  Result<void> EndVisit() {
    while (!filler_.empty()) KVFS_TRY(WritePage(filler_.Cut()));
    if (come_.empty() && flags_ != 0) KVFS_TRY(WritePage({}));
    // Keeps the page boundaries: keys between two pages belong to the same page as before.
    if (kIsLeaf && !come_.empty()) come_.front().key = lower_key_;
    gone_.insert(gone_.end(), come_.begin(), come_.end());
    std::ranges::stable_sort(gone_, {}, &BranchChange::key);
    for (const BranchChange& change : gone_) {
      if (!above_.empty() && above_.back().key == change.key) above_.pop_back();
      above_.push_back(change);
    }
    gone_.clear();
    come_.clear();
    return {};
  }

  PageWriter& maker_;
  const Tree& last_;
  const uint32_t level_;
  const bool rewrites_all_;
  LevelWalker walker_;
  std::span<const Change> changes_;
  size_t next_ = 0;
  size_t here_end_ = 0;
  std::vector<BranchChange> above_;
  std::vector<DamagedPart<Change>> damaged_;
  bool has_left_root_ = false;
  bool has_met_damage_ = false;
  // Of the visit under way:
  PageSplitter<Level> filler_;
  uint8_t flags_ = 0;
  format::RecordKey lower_key_;
  std::optional<format::RecordKey> end_key_;  // its end; nothing at the tree's end
  std::vector<BranchChange> gone_;
  std::vector<BranchChange> come_;
};

}  // namespace kvfs
