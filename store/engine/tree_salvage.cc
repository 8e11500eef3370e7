// Reads all pages once, then builds the branches.
#include "store/engine/tree_salvage.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "store/alloc/allocator_checker.h"
#include "store/alloc/check_session.h"
#include "store/btree/level.h"
#include "store/btree/tree_checker.h"

namespace kvfs {

using format::BranchRecord;
using format::LeafRecord;
using format::LeafView;
using format::PagePointer;
using format::PageView;
using format::RecordKey;

namespace {

class TreeSalvage {
 public:
  TreeSalvage(ShardFiles* files, const ShardConfig& config, const format::ShardRoot* root)
      : files_(*files), config_(config), root_(root) {}

  Result<SalvagedShard> Run() {
    const std::string path = "shard " + std::to_string(config_.index) + " keys";
    auto patched = std::make_unique<PatchedFile>(std::move(files_.keys), path);
    pages_.emplace(patched.get(),
                   PagesConfig{config_.page_bytes, config_.checksum_seed, config_.hash, path, {}});
    KVFS_TRY(FindUsed(*patched));
    KVFS_ASSIGN(const uint64_t bytes, patched->SizeBytes());
    for (uint64_t number = 1; number < bytes / config_.page_bytes; ++number) KVFS_TRY(Look(number));
    ChooseLeaves();
    KVFS_TRY(PutBranchesAbove(patched.get()));
    files_.keys = std::move(patched);
    return std::move(result_);
  }

 private:
  struct Leaf {
    PagePointer page;
    RecordKey first, last;  // in the mapped page
    uint32_t count = 0;
    bool is_certain = false;
  };

  // Finds the used pages from the branches and the map. Damage of the branches is reported as a
  // loss.
  Result<void> FindUsed(const File& keys) {
    if (root_ == nullptr) return {};
    KVFS_ASSIGN(const uint64_t keys_bytes, keys.SizeBytes());
    CheckOptions options;
    options.on_finding = [this](const CheckFinding& finding) {
      if (finding.kind == CheckFinding::Kind::kDamage) result_.losses.push_back(finding.message);
    };
    CheckSession session(&options, 0);
    const Tree tree(&*pages_, {root_->root, root_->height, root_->leaves, root_->branches});
    TreeChecker checker(&tree, "shard " + std::to_string(config_.index) + " keys", &session,
                        [](const LeafRecord&) {});
    checker.Run();
    reached_ = checker.reached();
    damaged_ = checker.damaged();
    const CheckOptions quiet;
    CheckSession quiet_session(&quiet, 0);
    const BlockFile blocks(files_.values.get(), config_.checksum_seed, /*read_only=*/true);
    AllocatorChecker map(&blocks, root_->page_map, {}, keys_bytes / config_.page_bytes,
                         config_.page_bytes, &quiet_session);
    map.Load([](format::BlockPointer) { return true; });
    is_map_sound_ = !map.is_damaged();
    used_ = map.used();
    for (const CheckSession* it : {&session, &quiet_session}) {
      if (it->failure()) return tl::unexpected(*it->failure());
    }
    return {};
  }

  bool IsCertain(uint64_t number) const {
    return (number < used_.size() && used_[number]) ||
           (number < reached_.size() && reached_[number]);
  }

  Result<void> Look(uint64_t number) {
    const bool is_certain = IsCertain(number);
    // A page that a sound map does not mark as used is an outdated one, and must not come back.
    if (!is_certain && is_map_sound_) return {};
    const uint64_t offset = number * config_.page_bytes;
    auto bytes = pages_->file().View(offset, config_.page_bytes);
    // Zeros for undelivered pages may be temporary.
    if (pages_->file().ViewFaults() > 0) {
      auto refreshed = pages_->file().RefreshView(offset, config_.page_bytes);
      if (!refreshed) bytes = tl::unexpected(std::move(refreshed).error());
    }
    if (!bytes && bytes.error().code == ErrorCode::kIo) return {};
    if (!bytes) return tl::unexpected(std::move(bytes).error());
    LookAt(number, is_certain, PageView(*bytes, config_.page_bytes));
    return {};
  }

  void LookAt(uint64_t number, bool is_certain, PageView raw) {
    const PagePointer self{number, raw.self().epoch};
    const bool is_damaged =
        damaged_.contains(number) ||
        !format::CheckPage({raw.bytes(), config_.page_bytes}, config_.checksum_seed, self);
    if (is_damaged) {
      if (is_certain) Lose(raw, number);
      return;
    }
    if (!raw.IsLeaf() || raw.count() == 0) return;
    const LeafView leaf = pages_->AsLeaf(raw);
    if (!leaf.CheckOrder()) return;
    leaves_.push_back(
        {self, leaf.Record(0).key, leaf.Record(raw.count() - 1).key, raw.count(), is_certain});
  }

  // A name that matches its slot's fingerprint was in this page.
  void Lose(PageView page, uint64_t number) {
    if (!damaged_.contains(number)) {
      result_.losses.push_back("shard " + std::to_string(config_.index) + " keys: page " +
                               std::to_string(number) + " cannot be read");
    }
    if (!page.IsLeaf()) return;
    const LeafView leaf = pages_->AsLeaf(page);
    for (const RecordKey& key : leaf.KeysThatFit()) {
      if (key.directory >= format::kFirstOwnDirectory || key.name.empty()) continue;
      result_.lost_entries.emplace_back(key.directory, std::string(key.name));
    }
  }

  // Takes the certain leaves, and then each leaf that overlaps none taken before.
  void ChooseLeaves() {
    std::ranges::sort(leaves_, [](const Leaf& a, const Leaf& b) {
      if (a.is_certain != b.is_certain) return a.is_certain;
      return a.page.epoch > b.page.epoch;
    });
    for (const Leaf& leaf : leaves_) {
      const auto above = chosen_.upper_bound(leaf.last);  // the first that begins behind it
      const bool overlaps = above != chosen_.begin() && std::prev(above)->second.last >= leaf.first;
      if (!overlaps) chosen_.emplace(leaf.first, leaf);
    }
  }

  Result<void> PutBranchesAbove(PatchedFile* file) {
    KVFS_ASSIGN(const uint64_t begin, file->PatchBegin());
    std::vector<BranchRecord> level;
    for (const auto& [first, leaf] : chosen_) level.push_back({first, leaf.page, leaf.count});
    format::ShardRoot& root = result_.root;
    if (root_ != nullptr) root = *root_;
    root.leaves = level.size();
    root.branches = 0;
    root.height = level.empty() ? 0 : 1;
    std::vector<std::byte> patch;
    while (level.size() > 1) {
      level = BranchesOf(level, begin / config_.page_bytes, &patch);
      root.branches += level.size();
      ++root.height;
    }
    root.root = level.empty() ? PagePointer{} : level.front().child;
    file->Patch(std::move(patch));
    return {};
  }

  // Appends pages with these records to the patch; returns the records that point to them.
  std::vector<BranchRecord> BranchesOf(const std::vector<BranchRecord>& records,
                                       uint64_t first_number, std::vector<std::byte>* patch) {
    std::vector<BranchRecord> above;
    const uint32_t capacity = format::PageCapacityBytes(config_.page_bytes);
    for (size_t begin = 0; begin < records.size();) {
      size_t end = begin;
      for (uint32_t bytes = 0; end < records.size(); ++end) {
        bytes += format::BranchRecordBytes(records[end]);
        if (bytes > capacity) break;
      }
      const uint64_t number = first_number + patch->size() / config_.page_bytes;
      const PagePointer self{number, 1};
      patch->resize(patch->size() + config_.page_bytes);
      format::EncodeBranch(std::span(records).subspan(begin, end - begin), self,
                           config_.checksum_seed, MutableBytes(*patch).last(config_.page_bytes));
      above.push_back({records[begin].key, self, static_cast<uint32_t>(end - begin)});
      begin = end;
    }
    return above;
  }

  ShardFiles& files_;
  const ShardConfig& config_;
  const format::ShardRoot* const root_;
  std::optional<Pages> pages_;
  std::vector<bool> reached_, used_;
  std::set<uint64_t> damaged_;  // of the reached ones
  bool is_map_sound_ = false;
  std::vector<Leaf> leaves_;
  std::map<RecordKey, Leaf> chosen_;
  SalvagedShard result_;
};

}  // namespace

Result<SalvagedShard> SalvageTree(ShardFiles* files, const ShardConfig& config,
                                  const format::ShardRoot* root) {
  // On the heap: its table of pages is too large for a small stack.
  return std::make_unique<TreeSalvage>(files, config, root)->Run();
}

Result<bool> HasNewerPage(const File& keys, const ShardConfig& config, uint64_t epoch) {
  KVFS_ASSIGN(const uint64_t bytes, keys.SizeBytes());
  std::vector<std::byte> header(format::kPageHeaderBytes), page(config.page_bytes);
  for (uint64_t number = 1; number < bytes / config.page_bytes; ++number) {
    const uint64_t offset = number * config.page_bytes;
    auto read = keys.Read(offset, header);
    const PagePointer self = PageView(header.data(), config.page_bytes).self();
    if (!read || self.number != number || self.epoch <= epoch) continue;
    read = keys.Read(offset, page);
    if (read && format::CheckPage(page, config.checksum_seed, self)) return true;
  }
  return false;
}

}  // namespace kvfs
