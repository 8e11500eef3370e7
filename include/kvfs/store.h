// An embedded key-value store in a directory: sharded, memory-mapped, crash-safe.
//
// An entry is (directory, name) -> (id, meta, content). `meta` is a small byte string for the
// caller's use; `content` is the value, read and written by range. `id` is assigned at creation,
// never used again in this store, and kept when the entry moves. Every change gives the entry a
// higher version.
//
// Durability. An operation that has returned is *acknowledged*: readers see it, and it survives a
// crash of the process. After Sync, everything acknowledged before it survives power loss. After
// any crash the store opens to an exact prefix of the acknowledged operations.
//
// Threads. Every method but Close is thread-safe.
//
// Errors that any method may return, besides those it names: kCorrupt, if stored bytes it needs
// fail their checksum (the rest of the store stays usable); kIo; kUnavailable, if this process or
// machine lacks memory or the like. Changes return kReadOnly if the store was opened read-only, or
// after a write or sync of its files has failed: reopen it to continue from what is on disk.
//
// docs/design.md explains how it works, docs/format.md what is on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <kvfs/batch.h>
#include <kvfs/bytes.h>
#include <kvfs/check.h>
#include <kvfs/env.h>
#include <kvfs/options.h>
#include <kvfs/status.h>

namespace kvfs {

struct EntryInfo {
  uint64_t id = 0;
  uint64_t version = 0;  // grows with each change of this key's entry, even if another gets the key
  uint64_t size_bytes = 0;       // of the content
  uint64_t allocated_bytes = 0;  // of the content on disk, without holes
  std::string meta;
};

// Position of an entry in the listing of its directory: a hash of its name, from kFirstPosition to
// 2^63 - 1. Changes of other entries do not affect it. Two names may share one.
using Position = uint64_t;
inline constexpr Position kFirstPosition = 16;

// Valid during the visit only.
struct ListedEntry {
  std::string_view name;
  Position position = 0;
  uint64_t id = 0;
  uint64_t size_bytes = 0;
  uint64_t version = 0;
  std::string_view meta;
  Bytes content;  // if small enough to be stored in the entry; otherwise empty: use Read
};
// Returns whether to go on.
using ListVisitor = std::function<bool(const ListedEntry&)>;

struct StoreStats {
  uint64_t entries = 0;
  // How the disk space is used: pages of trees, and blocks of contents, in use; those freed, but
  // still needed by a reader or a checkpoint (dead); those free, with disk space of their own
  // (reusable); and the log.
  uint64_t page_bytes_used = 0;
  uint64_t block_bytes_used = 0;
  uint64_t dead_bytes = 0;
  uint64_t reusable_bytes = 0;
  // Part of the reusable or free disk space that growing changes must leave to checkpoints, to the
  // log, and to changes that free space.
  uint64_t reserved_bytes = 0;
  uint64_t log_file_bytes = 0;
  uint64_t disk_bytes = 0;         // of all files of the store, without holes
  uint64_t file_bytes = 0;         // the same, holes included
  uint64_t orphaned_contents = 0;  // no longer referenced, and not yet freed
  uint64_t dirty_bytes = 0;        // memory for changes that await a checkpoint
  uint64_t snapshots = 0;
  uint64_t epoch = 0;
  uint64_t checkpoints = 0;  // since the opening
  uint64_t log_bytes = 0;    // that a recovery would replay now
  uint64_t acknowledged_sequence = 0;
  uint64_t durable_sequence = 0;
  uint64_t replayed_records = 0;  // by the recovery at the opening
};

// Maximum size that ReadAll and Get read into memory.
inline constexpr uint64_t kMaxGetBytes = uint64_t{1} << 30;

// Reads entries: a Store in the newest state, a Snapshot in the state of one moment.
class Reader {
 public:
  virtual ~Reader() = default;

  // kNotFound if absent.
  virtual Result<EntryInfo> Stat(Key key) const = 0;

  // Reads the content from `offset` into `out`; returns the number of bytes read, less than
  // out.size() only at the content's end. The bytes are a consistent view of one moment. kNotFound
  // if the entry is absent.
  virtual Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const = 0;

  // Reads the whole content, as of one moment, into `content`, reusing its memory. kNotFound;
  // kTooLarge above kMaxGetBytes: use Read for ranges. After an error `content` is unspecified.
  virtual Result<void> ReadAll(Key key, std::string* content) const = 0;

  // The first byte at or after `offset` that has disk space (FindData), or has none (FindHole); the
  // content's size if there is no such byte, so that every content ends with a hole. Small contents
  // count as data. kNotFound.
  virtual Result<uint64_t> FindData(Key key, uint64_t offset) const = 0;
  virtual Result<uint64_t> FindHole(Key key, uint64_t offset) const = 0;

  // Calls `visit` for the entries of `directory` in order of (position, name), from the first entry
  // whose position is at least `from`, until it returns false or there are no more. An entry that
  // exists during the whole call is visited exactly once. No lock is held: `visit` may be slow, and
  // may call the store. kCorrupt, at the end, if damage may have hidden entries.
  virtual Result<void> List(DirectoryId directory, Position from,
                            const ListVisitor& visit) const = 0;

  // Returns the whole value of a key of the root directory: the entry that a mount shows as a file
  // in its top directory. Errors as for ReadAll; an absent key is kNotFound, not an empty value.
  Result<std::string> Get(std::string_view name) const;
};

// The store as of one moment, while changes go on. Everything it shows stays on disk as long as it
// lives, so a long-lived one costs the space of what has changed since. It must be destroyed before
// its store. Thread-safe.
class Snapshot : public Reader {
 public:
  // The sequence of the last change that it shows; no entry in it has a higher version.
  virtual uint64_t version() const = 0;
};

class Store : public Reader {
 public:
  // Creates an empty store in the directory `path`, which must be absent or empty. kExists if there
  // is a store, kCorrupt if there is one that has lost its superblock; kInvalid if the directory
  // holds something else, or an option is out of range. Leaves nothing behind on an error.
  static Result<void> Create(Env& env, const std::string& path, const CreateOptions& options = {});

  // Opens a store, and recovers it if it was not closed. kNotFound if there is none; kInUse if
  // another process has it open (the message names it); kUnsupported if its format is unknown;
  // kCorrupt if neither checkpoint can be read, or if the log is damaged in a way that power loss
  // cannot explain: changes would then build on an outdated state. With `read_only` a store with
  // such a log is opened nevertheless: see Damage.
  static Result<std::unique_ptr<Store>> Open(Env& env, const std::string& path,
                                             OpenOptions options = {});

  // Closes without reporting errors. Call Close to see them.
  ~Store() override = default;

  // kCorrupt, with the reason, if the opening could not read everything that had been acknowledged:
  // the store then shows an older state. Entries that it finds may have been changed or erased
  // later; a lookup that finds nothing returns kCorrupt, and so does a listing at its end. Happens
  // only with OpenOptions::read_only.
  virtual Result<void> Damage() const = 0;

  // Takes a last checkpoint, so that the next opening has nothing to replay, and releases the lock.
  // No other call may be in progress or follow. After an error everything acknowledged is still in
  // the log, as after a crash of the process.
  virtual Result<void> Close() = 0;

  // Applies the batch atomically, except that a large Resize or Punch may be done in parts first:
  // see ApplyPart. kNotFound, kExists, kConflict: see Batch. kInvalid for a name, offset or size
  // outside its limits; kTooLarge if the batch does not fit into one log segment; kNoSpace. After
  // any error but kIo and kReadOnly the store is as if the call had not been made. After kIo it is
  // unknown whether the batch was applied, and whether it will be there after a reopening.
  virtual Result<void> Apply(const Batch& batch) = 0;

  // Does a part of the work of Apply(batch) in advance, if the batch has a large Resize or Punch:
  // one that frees more than 128 MiB of data and keeps more than 32 MiB. Returns false if only the
  // last step, Apply, is left. Apply does all parts by itself; this call is for callers that must
  // let others go on in between. Each part is atomic: after it, the content has been truncated part
  // of the way, or a beginning of the range has been punched; the meta is unchanged. Only for
  // batches of nothing but Resize, Punch, Write and EditMeta.
  virtual Result<bool> ApplyPart(const Batch& batch) = 0;

  // Copies a range of one content into another inside the store; `to` must exist. It may be the
  // same content, but the ranges must not overlap. Holes stay holes. Returns the number of bytes
  // copied: less than `length` only at the end of `from`. Copies in pieces of some MiB, each of
  // which is atomic. kNotFound; kInvalid.
  virtual Result<uint64_t> CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                                     uint64_t length, MetaEdit edit = {}) = 0;

  // Reserve an id for Batch::PutAs: for an entry that will have this name; or for an entry whose
  // content the entry with the id `other` will take (Batch::TakeContent). With reserved ids,
  // entries of one batch can refer to each other. An unused id is never assigned again, which does
  // no harm.
  virtual uint64_t ReserveId(std::string_view name) = 0;
  virtual uint64_t ReserveIdLike(uint64_t other) = 0;

  // Returns a snapshot of the current state, in constant time whatever the store's size.
  virtual Result<std::unique_ptr<Snapshot>> TakeSnapshot() const = 0;

  // Makes everything acknowledged before the call durable. Calls that come together share one
  // disk flush (group commit).
  virtual Result<void> Sync() = 0;

  // Makes everything acknowledged durable and part of the trees on disk, so that the log is empty.
  // Also runs in the background, when the log or the memory for changes reaches half its limit.
  virtual Result<void> Checkpoint() = 0;

  // Rewrites all trees as densely as possible, and returns all free space to the file system. Reads
  // and changes go on meanwhile. Needs disk space for a second copy of the trees. kNoSpace;
  // kCorrupt, after all is done, if there were damaged pages: they stay, for a repair.
  virtual Result<void> Compact() = 0;

  // Checks the whole store: reads and verifies every page, block and record, even if verified
  // before; checks that everything is reachable, in order, counted correctly and used only once;
  // and compares the allocation maps. Changes nothing. Other calls go on, and what they change
  // meanwhile is not checked. Findings are passed to options.on_finding, and are not errors.
  virtual Result<CheckReport> Check(const CheckOptions& options) const = 0;

  virtual StoreStats GetStats() const = 0;
  // Total and available space of the disk that holds the store.
  virtual Result<DiskSpace> GetDiskSpace() const = 0;

  // Put and erase whole values under keys of the root directory: see Reader::Get.
  Result<void> Put(std::string_view name, std::string_view value);
  Result<void> Erase(std::string_view name);  // kNotFound if absent
};

}  // namespace kvfs
