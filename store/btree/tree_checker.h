// Walks the whole tree of one shard and checks each page: its checksum, its records' order, that
// they lie between the keys that lead to it, that it is reached once only, and that there are as
// many pages as the checkpoint says.
//
// Threads: one; the caller has a pin of the tree.
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

  // All must outlive the checker. `visit` is called for every record that can be read, in order.
  TreeChecker(const Tree* tree, std::string shard_name, CheckSession* session, Visit visit)
      : tree_(*tree),
        shard_name_(std::move(shard_name)),
        session_(*session),
        visit_(std::move(visit)) {}

  void Run();

  // By number: the pages that belong to the tree.
  const std::vector<bool>& reached() const { return reached_; }
  // Those of them that are not what the page above says.
  const std::set<uint64_t>& damaged() const { return damaged_; }
  // Pages could not be read: what lies below them has not been reached.
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
  // Of the pages between the root and the one that is looked at: a branch is used again after each
  // of its children, when the disk may show zeros in its place.
  std::vector<std::vector<std::byte>> copies_;
  std::vector<bool> reached_;
  std::set<uint64_t> damaged_;
  bool has_gaps_ = false;
  uint64_t leaves_ = 0;
  uint64_t branches_ = 0;
};

}  // namespace kvfs
