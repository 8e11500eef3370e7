// An embedded key-value store in a directory: sharded, memory-mapped, crash-safe.
//
// An entry is (space, name) -> (id, meta, content). `meta` is a small byte string of the caller's;
// `content` is the value, read and written by range. `id` is given at creation, unique while the
// store lives, and stays when the entry moves.
//
// Durability. An operation that has returned is *acknowledged*: readers see it, and it survives
// the death of the process. Sync makes all that was acknowledged before it survive the death of
// the machine. After any crash the store opens to an exact prefix of the acknowledged operations.
//
// Threads. Every method but Close is safe from many threads at once.
//
// Errors that any method may return, beside those it names: kCorrupt, when stored bytes it needs
// fail their checksum (the rest of the store stays usable); kIo; and for changes kReadOnly, after
// a write or sync of the store's files has failed: reopen the store to continue from what is on
// disk. docs/design.md tells how it works, docs/format.md what lies on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/batch.h"
#include "store/bytes.h"
#include "store/env/env.h"
#include "store/options.h"
#include "store/status.h"

namespace kvfs {

struct EntryInfo {
  uint64_t id = 0;
  uint64_t size_bytes = 0;       // of the content
  uint64_t allocated_bytes = 0;  // what the content takes on disk: whole blocks, holes left out
  std::string meta;
};

// Place of an entry in the listing of its space: a hash of its name. At least kFirstPosition, below
// 2^63, never changed by what happens to other entries. Two names may share one.
using Position = uint64_t;
inline constexpr Position kFirstPosition = 16;

struct ListedEntry {
  std::string_view name;  // valid during the visit only
  Position position = 0;
  uint64_t id = 0;
  uint64_t size_bytes = 0;
  std::string_view meta;  // valid during the visit only
};

struct StoreStats {
  uint64_t entries = 0;
  uint64_t page_bytes_used = 0;   // of the tree's pages, in the keys files
  uint64_t block_bytes_used = 0;  // of the contents' blocks, in the values files
  uint64_t file_bytes = 0;        // size of all files of the store, holes included
  uint64_t reusable_bytes = 0;    // inside those files, free for new pages and blocks
  uint64_t dirty_bytes = 0;       // pages and blocks in memory, waiting for a checkpoint
  uint64_t epoch = 0;
  uint64_t checkpoints = 0;  // since the opening
  uint64_t log_bytes = 0;    // that a recovery would replay now
  uint64_t acknowledged_sequence = 0;
  uint64_t durable_sequence = 0;
  uint64_t replayed_records = 0;  // by the recovery at the opening
};

// What Get reads into memory at most.
inline constexpr uint64_t kMaxGetBytes = uint64_t{1} << 30;

class Store {
 public:
  // Creates an empty store in the directory `path`, which must be absent or empty.
  // kExists if there is a store; kInvalid if the directory holds something else, or for options out
  // of their range. Leaves nothing behind on an error.
  static Result<void> Create(Env& env, const std::string& path, const CreateOptions& options = {});

  // Opens a store for reading and writing, and recovers it where it was not closed. kNotFound if
  // there is none; kInUse if another process has it open (the message names it); kUnsupported if
  // its format is newer; kCorrupt if neither checkpoint can be read.
  static Result<std::unique_ptr<Store>> Open(Env& env, const std::string& path,
                                             OpenOptions options = {});

  // Closes without reporting errors. Call Close to see them.
  virtual ~Store() = default;

  // Takes a last checkpoint, so that the next opening has nothing to replay, and releases the
  // lock. No other call may be under way or follow. On an error everything acknowledged is still
  // in the log, as after the death of the process.
  virtual Result<void> Close() = 0;

  // kNotFound if absent.
  virtual Result<EntryInfo> Stat(Key key) const = 0;

  // Fills `out` from the content at `offset`; returns how many bytes there were, less than asked
  // only at the content's end. kNotFound if the entry is absent.
  virtual Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const = 0;

  // Applies the batch atomically. kNotFound, kExists: see Batch. kInvalid for a name, offset or
  // size outside its limits; kTooLarge if the batch does not fit into one log segment; kNoSpace.
  // After any error but kIo and kReadOnly the store is as if the call had not been made. After kIo
  // it is not known whether the batch will be there after a reopening.
  virtual Result<void> Apply(const Batch& batch) = 0;

  // Calls `visit` for the entries of `space` in order of (position, name), from the first entry
  // whose position is at least `from`, until it returns false or there are no more. An entry that
  // is there during the whole call is visited exactly once. `visit` runs under a lock and must not
  // call the store.
  virtual Result<void> List(Space space, Position from,
                            const std::function<bool(const ListedEntry&)>& visit) const = 0;

  // Makes everything acknowledged before the call durable. Calls that come together share one
  // disk flush (group commit).
  virtual Result<void> Sync() = 0;

  // Makes everything acknowledged durable and part of the trees on disk, so that the log is empty.
  // Runs by itself in the background when the log or the dirty memory asks for it.
  virtual Result<void> Checkpoint() = 0;

  virtual StoreStats GetStats() const = 0;
  // Space on the disk that holds the store.
  virtual Result<DiskSpace> GetDiskSpace() const = 0;

  // Whole values under keys of the root space, for the plain user: the same entries that a mount
  // shows as the files of its top directory.
  Result<void> Put(std::string_view name, std::string_view value);
  // kNotFound: told apart from empty. kTooLarge for values above kMaxGetBytes: Read takes ranges.
  Result<std::string> Get(std::string_view name) const;
  Result<void> Erase(std::string_view name);  // kNotFound if absent
};

}  // namespace kvfs
