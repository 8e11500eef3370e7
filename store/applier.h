// Carries out changes on the shards: the one place where entries and contents change, for a new
// batch and for a replayed record alike.
//
// Threads: the caller holds the locks of all shards that NeedsOf names.
#pragma once

#include <functional>
#include <map>

#include "store/format/change.h"
#include "store/placement.h"
#include "store/shard_set.h"

namespace kvfs {

// Pages and blocks to reserve in a shard before a change.
struct Needs {
  uint64_t pages = 0;
  uint64_t blocks = 0;
};
using NeedsByShard = std::map<uint32_t, Needs>;

// What a change's needs depend on: the entry it changes, as it is before.
struct Present {
  uint64_t id = 0;  // 0: absent
  uint64_t size = 0;
};

class Applier {
 public:
  // All must outlive the applier.
  Applier(const Shards* shards, const Placement* placement)
      : shards_(shards), placement_(placement) {}

  // Adds what the change may take at most. `replaced` is the entry that a move replaces.
  void AddNeeds(const format::Change& change, Present entry, Present replaced,
                NeedsByShard* needs) const;

  // kCorrupt unless the change could have been planned: for what comes from a log.
  Result<void> Check(const format::Change& change) const;

  // With its needs reserved a change fails only on damaged pages. Absent entries are left alone.
  Result<void> Apply(const format::Change& change);

  // The present state of the entry that a change names; kNotFound.
  Result<format::Entry> Find(uint64_t space, std::string_view name) const;

 private:
  struct Place {
    format::RecordKey key;
    Shard* shard;
  };
  struct Draft;

  Place PlaceOf(uint64_t space, std::string_view name) const;
  void AddContentNeeds(uint64_t id, uint64_t bytes, uint64_t blocks, NeedsByShard* needs) const;
  Contents& HomeOf(uint64_t id) const { return (*shards_)[placement_->HomeOf(id)]->contents(); }
  Result<Draft> Load(const Place& place) const;
  Result<void> Save(const Place& place, const Draft& draft);
  Result<void> EraseContent(Draft& draft);
  Result<void> Spill(Draft& draft);
  Result<void> Write(Draft& draft, uint64_t offset, Bytes data);
  Result<void> PlaceBlocks(Draft& draft, const format::Change& change);
  Result<void> Resize(Draft& draft, uint64_t size);
  Result<void> Punch(Draft& draft, uint64_t offset, uint64_t length);
  Result<void> Edit(const format::Change& change);
  Result<void> Put(const format::Change& change);
  Result<void> Erase(uint64_t space, std::string_view name);
  Result<void> Move(const format::Change& change);

  const Shards* shards_;
  const Placement* placement_;
};

}  // namespace kvfs
