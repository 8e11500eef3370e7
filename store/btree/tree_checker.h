// Walks the whole tree of one shard and checks each page: its checksum, the order of its records,
// that they lie between the keys that lead to it, and that it is reached only once. Also checks
// that the number of pages is the checkpoint's.
//
// Threads: one; the caller holds a pin of the tree.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "store/alloc/check_session.h"
#include "store/btree/tree.h"

namespace kvfs {

class TreeChecker {
 public:
  using Visit = std::function<void(const format::LeafRecord&)>;

  // All must outlive the checker. `visit` is called for every readable record, in order.
  TreeChecker(const Tree* tree, std::string shard_name, CheckSession* session, Visit visit)
      : tree_(*tree),
        shard_name_(std::move(shard_name)),
        session_(*session),
        visit_(std::move(visit)) {}

  void Run();

  // By number, whether a page belongs to the tree.
  const std::vector<bool>& reached() const { return reached_; }
  // Pages of the tree that are not what their parent says.
  const std::set<uint64_t>& damaged() const { return damaged_; }
  // Some pages were unreadable: the pages below them have not been reached.
  bool has_gaps() const { return has_gaps_; }

 private:
  // The keys of a page lie in [low, high); null: no bound.
  struct Bounds {
    const format::RecordKey* low = nullptr;
    const format::RecordKey* high = nullptr;
  };

  void CheckPage(format::PagePointer page, uint32_t depth, const Bounds& bounds);
  void CheckLeaf(format::PageView page, const Bounds& bounds);
  void CheckBranch(format::PageView page, uint32_t depth, const Bounds& bounds);
  bool Reach(format::PagePointer page);
  void Damage(format::PagePointer page, const std::string& what);
  static std::string Describe(const Bounds& bounds);

  const Tree& tree_;
  const std::string shard_name_;
  CheckSession& session_;
  const Visit visit_;
  // Copies of the pages from the root to the current one: a branch is used again after each of its
  // children, when the mapping may show zeros in its place.
  std::vector<std::vector<std::byte>> copies_;
  std::vector<bool> reached_;
  std::set<uint64_t> damaged_;
  bool has_gaps_ = false;
  uint64_t leaves_ = 0;
  uint64_t branches_ = 0;
};

}  // namespace kvfs
