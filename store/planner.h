// Turns a batch into changes: checks that it can be done, resolves what depends on the present
// state (ids, metas, what is inline), and adds up what it needs. Changes nothing.
//
// A plan may find that it needs the lock of a further shard (a content's home), or that a big
// write's blocks were written to another shard than the content's home; it then says so, and the
// caller tries again.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/applier.h"
#include "store/batch.h"
#include "store/staging.h"

namespace kvfs {

struct Plan {
  std::vector<format::Change> changes;  // borrow from the batch, the staging and `metas`
  std::deque<std::string> metas;
  NeedsByShard needs;
  bool grows = false;                                   // the batch may take space for good
  std::vector<std::pair<uint64_t*, uint64_t>> new_ids;  // where to put which

  // Not empty: the plan is incomplete; these locks are needed too.
  ShardSet missing_locks;
  // Not empty: the plan is incomplete; these operations' blocks belong into another shard.
  std::map<size_t, uint32_t> wanted_homes;

  bool IsComplete() const { return missing_locks.none() && wanted_homes.empty(); }
};

class Planner {
 public:
  // All must outlive the planner.
  Planner(const Shards& shards, const Placement& placement, const Applier& applier,
          const ExclusiveLocks& locks, const Staging& staging)
      : shards_(shards),
        placement_(placement),
        applier_(applier),
        locks_(locks),
        staging_(staging) {}

  // kNotFound, kExists, kInvalid, kTooLarge, kCorrupt: why the batch can not be done.
  Result<Plan> Make(const Batch& batch);

 private:
  struct State {
    Present present;
    std::string meta;
    bool exists() const { return present.id != 0; }
  };
  using Operation = Batch::Operation;

  Result<State> StateOf(Key key) const;
  Result<State> Existing(Key key) const;
  void Remember(Key key, const State& state);
  Result<void> AddMeta(const MetaEdit& edit, State* state, format::Change* change);
  bool NeedHome(Present entry, uint64_t new_size);
  void Add(const format::Change& change, Present entry, Present replaced = {});

  Result<void> PlanOne(size_t index, const Operation& operation);
  Result<void> PlanPut(size_t index, const Operation& put);
  Result<void> PlanErase(const Operation& erase);
  Result<void> PlanWrite(size_t index, const Operation& write);
  Result<void> PlanResize(const Operation& resize);
  Result<void> PlanPunch(const Operation& punch);
  Result<void> PlanMove(const Operation& move);
  Result<void> PlanEditMeta(const Operation& edit);
  // The changes that write `data` into the content, `last` carrying the meta.
  Result<void> AddWrites(size_t index, Key key, uint64_t offset, Bytes data, State* state,
                         format::Change last);

  const Shards& shards_;
  const Placement& placement_;
  const Applier& applier_;
  const ExclusiveLocks& locks_;
  const Staging& staging_;
  Plan plan_;
  bool several_ = false;  // operations: later ones must see what earlier ones do
  std::map<std::pair<Space, std::string_view>, State> changed_;
};

}  // namespace kvfs
