// Reads entries, contents and listings, in the newest state or as of one sequence.
//
// No lock is held while pages or blocks are read, possibly from disk. Nothing reachable from the
// pinned tree is reused while it is pinned. In the newest state an entry may change while its
// blocks are read: its version shows that, and the read starts again; after some attempts it keeps
// the locks.
//
// Threads: safe from many.
#pragma once

#include <string>
#include <vector>

#include <kvfs/store.h>
#include "store/format/chunk.h"
#include "store/format/entry.h"
#include "store/shard/placement.h"
#include "store/shard/record_cursor.h"
#include "store/shard/shard_set.h"

namespace kvfs {

class ReadView {
 public:
  // A view of the newest state; or, with `pins`, of the state as of sequence `at`. All must outlive
  // the view. `log` receives a line for each damage found.
  ReadView(const Shards* shards, const Placement* placement,
           const std::function<void(std::string_view)>* log,
           const std::vector<ShardPin>* pins = nullptr, uint64_t at = Memtable::kNewest)
      : shards_(*shards), placement_(*placement), log_(*log), pins_(pins), at_(at) {}

  // Sets what is missing from the end of the log: an entry that is not found is then not known to
  // be absent.
  void SetLogDamage(std::string what) { log_damage_ = std::move(what); }

  // See Reader.
  Result<EntryInfo> Stat(Key key) const;
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const;
  Result<void> ReadAll(Key key, std::string* content) const;
  Result<uint64_t> FindData(Key key, uint64_t offset) const;
  Result<uint64_t> FindHole(Key key, uint64_t offset) const;
  Result<void> List(DirectoryId directory, Position from, const ListVisitor& visit) const;

  // Logs damage with the entry's name; returns the error unchanged.
  Error Report(Error error, Key key) const;

 private:
  enum class Locks { kTaken, kHeld };
  // A copy of what an entry says about its content.
  struct Content {
    uint64_t state = 0;  // of the entry's shard
    uint64_t version = 0;
    uint64_t size = 0;
    uint64_t id = 0;
    uint64_t chunked = 0;                      // content id, if its blocks are in chunks
    std::vector<format::BlockPointer> direct;  // if they are in the entry

    void Keep(const format::Entry& entry, uint64_t its_version, const format::ContentShape& shape);
  };

  // Calls use(value, version) for the record; kNotFound. `state`, if not null, receives the shard's
  // state.
  template <typename Use>
  Result<void> WithRecord(uint32_t shard, const format::RecordKey& key, Locks locks, Use use,
                          uint64_t* state = nullptr) const;
  template <typename Use>
  Result<void> WithEntry(Key key, Locks locks, Use use, uint64_t* state = nullptr) const;

  Result<void> WholeLog() const;
  ShardPin PinOf(uint32_t shard) const;
  Result<Content> ContentOf(Key key) const;
  Result<bool> IsUnchanged(Key key, const Content& content) const;
  // One attempt. Nothing, or false, if the entry changed meanwhile.
  Result<std::optional<size_t>> TryRead(Key key, uint64_t offset, MutableBytes out) const;
  Result<bool> TryReadAll(Key key, std::string* out) const;
  Result<size_t> ReadLocked(Key key, uint64_t offset, MutableBytes out) const;
  // Reads the part stored in the entry itself: returns how many bytes there are, and how many of
  // them are in blocks.
  Result<std::pair<size_t, size_t>> ReadTail(Key key, Locks locks, uint64_t offset,
                                             MutableBytes out, Content* content) const;
  Result<void> ReadBlocks(const Content& content, Locks locks, uint64_t offset,
                          MutableBytes out) const;
  Result<format::Chunk> ReadChunk(const Content& content, Locks locks, uint64_t index) const;
  template <typename Visit>
  Result<void> ForEachBlock(const Content& content, uint64_t from, Visit visit) const;

  const Shards& shards_;
  const Placement& placement_;
  const std::function<void(std::string_view)>& log_;
  const std::vector<ShardPin>* const pins_;
  const uint64_t at_;
  std::string log_damage_;
};

}  // namespace kvfs
