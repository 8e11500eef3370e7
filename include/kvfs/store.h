// An embedded key-value store in a directory: sharded, memory-mapped, crash-safe.
//
// An entry is (directory, name) -> (id, meta, content). `meta` is a small byte string of the
// caller's; `content` is the value, read and written by range. `id` is given at creation, unique
// while the store lives, and stays when the entry moves. Every change gives the entry a higher
// version.
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
// disk; or because it was opened for reading. docs/design.md tells how it works, docs/format.md
// what lies on disk.
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
  uint64_t version = 0;  // grows with each change of the entry, and of whatever has its key later
  uint64_t size_bytes = 0;       // of the content
  uint64_t allocated_bytes = 0;  // what the content takes on disk, holes left out
  std::string meta;
};

// Place of an entry in the listing of its directory: a hash of its name. At least kFirstPosition,
// below 2^63, never changed by what happens to other entries. Two names may share one.
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
  Bytes content;  // if it is small enough to lie in the entry; else empty: Read gets it
};
// Returns whether to go on.
using ListVisitor = std::function<bool(const ListedEntry&)>;

struct StoreStats {
  uint64_t entries = 0;
  // What the store takes, and what of: pages of the trees and blocks of the contents that are in
  // use; such as have lost their use, but are still needed by a reader or a checkpoint; such as are
  // free, and have space on the disk; and the log.
  uint64_t page_bytes_used = 0;
  uint64_t block_bytes_used = 0;
  uint64_t dead_bytes = 0;
  uint64_t reusable_bytes = 0;
  // Of what is reusable or free on the disk: what changes that take space leave to checkpoints, to
  // the log, and to changes that give space back.
  uint64_t reserved_bytes = 0;
  uint64_t log_file_bytes = 0;
  uint64_t disk_bytes = 0;         // of all files of the store, holes left out
  uint64_t file_bytes = 0;         // the same, holes included
  uint64_t orphaned_contents = 0;  // let go of, and not yet freed
  uint64_t dirty_bytes = 0;        // memory for changes that wait for a checkpoint
  uint64_t snapshots = 0;
  uint64_t epoch = 0;
  uint64_t checkpoints = 0;  // since the opening
  uint64_t log_bytes = 0;    // that a recovery would replay now
  uint64_t acknowledged_sequence = 0;
  uint64_t durable_sequence = 0;
  uint64_t replayed_records = 0;  // by the recovery at the opening
};

// What ReadAll and Get read into memory at most.
inline constexpr uint64_t kMaxGetBytes = uint64_t{1} << 30;

// Looks at entries: a Store at the newest state, a Snapshot at that of one moment.
class Reader {
 public:
  virtual ~Reader() = default;

  // kNotFound if absent.
  virtual Result<EntryInfo> Stat(Key key) const = 0;

  // Fills `out` from the content at `offset`; returns how many bytes there were, less than asked
  // only at the content's end. What is returned was the content at one moment. kNotFound if the
  // entry is absent.
  virtual Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const = 0;

  // Makes `content` the entry's whole content, as of one moment, in memory that it has or gets.
  // kNotFound; kTooLarge above kMaxGetBytes: Read takes ranges. After an error it may hold
  // anything.
  virtual Result<void> ReadAll(Key key, std::string* content) const = 0;

  // The first byte at or behind `offset` that has, or has no, space on the disk; the content's size
  // if there is none, so that every content ends with a hole. Small contents are data. kNotFound.
  virtual Result<uint64_t> FindData(Key key, uint64_t offset) const = 0;
  virtual Result<uint64_t> FindHole(Key key, uint64_t offset) const = 0;

  // Calls `visit` for the entries of `directory` in order of (position, name), from the first entry
  // whose position is at least `from`, until it returns false or there are no more. An entry that
  // is there during the whole call is visited exactly once. No lock is held: `visit` may take its
  // time, and call the store. kCorrupt, at the end, if damage may have hidden entries.
  virtual Result<void> List(DirectoryId directory, Position from,
                            const ListVisitor& visit) const = 0;

  // The whole value of a key of the root directory, for the plain user: the same entry that a mount
  // shows as a file of its top directory. Errors as ReadAll; kNotFound is told apart from empty.
  Result<std::string> Get(std::string_view name) const;
};

// The store as of one moment, while others go on changing it. What it shows stays on the disk as
// long as it lives: one that lives long costs the space of what has changed since. It must be
// destroyed before its store. Safe from many threads.
class Snapshot : public Reader {
 public:
  // The sequence of the last change that it shows: versions of entries are at most this.
  virtual uint64_t version() const = 0;
};

class Store : public Reader {
 public:
  // Creates an empty store in the directory `path`, which must be absent or empty.
  // kExists if there is a store, kCorrupt if one that has lost its superblock; kInvalid if the
  // directory holds something else, or for options out of their range. Leaves nothing behind on an
  // error.
  static Result<void> Create(Env& env, const std::string& path, const CreateOptions& options = {});

  // Opens a store, and recovers it where it was not closed. kNotFound if there is none; kInUse if
  // another process has it open (the message names it); kUnsupported if its format is another;
  // kCorrupt if neither checkpoint can be read, or if the log is damaged where it cannot be for
  // want of power: changes would then be made on top of an older state. With `read_only` such a
  // store is opened all the same: see Damage.
  static Result<std::unique_ptr<Store>> Open(Env& env, const std::string& path,
                                             OpenOptions options = {});

  // Closes without reporting errors. Call Close to see them.
  ~Store() override = default;

  // kCorrupt, with the reason, if the opening could not read all that had been acknowledged: then
  // the store shows an older state. What is found may have been changed or erased later; what is
  // not found is kCorrupt, as a listing is at its end. Only a store that was opened with
  // OpenOptions::read_only can be so.
  virtual Result<void> Damage() const = 0;

  // Takes a last checkpoint, so that the next opening has nothing to replay, and releases the
  // lock. No other call may be under way or follow. On an error everything acknowledged is still
  // in the log, as after the death of the process.
  virtual Result<void> Close() = 0;

  // Applies the batch atomically, but for what ApplyPart does of it. kNotFound, kExists, kConflict:
  // see Batch. kInvalid for a name, offset or size outside its limits; kTooLarge if the batch does
  // not fit into one log segment; kNoSpace. After any error but kIo and kReadOnly the store is as
  // if the call had not been made. After kIo it is not known whether the batch has happened, now or
  // after a reopening.
  virtual Result<void> Apply(const Batch& batch) = 0;

  // Does a part of what Apply(batch) will do, if that is much: of a Resize or Punch that gives up
  // more than 128 MiB of data, and keeps more than 32 MiB. False if nothing is left but the one
  // step that Apply takes, which does all parts by itself: this is for who must let others go on in
  // between. Each part happens whole or not at all; the content is a beginning of what it was, or
  // lacks a beginning of the range, and keeps its meta. Only where the batch has nothing but
  // Resize, Punch, Write and EditMeta.
  virtual Result<bool> ApplyPart(const Batch& batch) = 0;

  // Copies a range of one content into another (or the same; the ranges must not overlap), where it
  // must exist, without a detour through the caller; holes stay holes. Returns how many bytes were
  // copied: less than `length` only at the end of `from`. Happens in pieces of some MiB, each whole
  // or not at all. kNotFound; kInvalid.
  virtual Result<uint64_t> CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                                     uint64_t length, MetaEdit edit = {}) = 0;

  // Ids for Batch::PutAs, which nobody else gets: of an entry that is to have this name; of one
  // whose content the entry with the id `other` shall take (Batch::TakeContent). So the entries of
  // a batch can be made to refer to each other. What is not used is lost, and no harm.
  virtual uint64_t ReserveId(std::string_view name) = 0;
  virtual uint64_t ReserveIdLike(uint64_t other) = 0;

  // A view of the store as it is now, which takes a moment whatever its size.
  virtual Result<std::unique_ptr<Snapshot>> TakeSnapshot() const = 0;

  // Makes everything acknowledged before the call durable. Calls that come together share one
  // disk flush (group commit).
  virtual Result<void> Sync() = 0;

  // Makes everything acknowledged durable and part of the trees on disk, so that the log is empty.
  // Runs by itself in the background when the log or the memory for changes asks for it.
  virtual Result<void> Checkpoint() = 0;

  // Writes all trees anew, as dense as can be, and gives all free space back to the disk. Others
  // may go on reading and changing meanwhile. Needs room for a second copy of the trees. kNoSpace;
  // kCorrupt, when all is done, if damaged pages were met: they stay, for a repair.
  virtual Result<void> Compact() = 0;

  // Looks at everything: reads every page, block and record, whether that was done before or not;
  // whether all is reachable, in order, counted right and nobody's twice; and whether the space
  // maps agree. Changes nothing. Others may go on; what they change meanwhile is not part of it.
  // What it finds is handed to options.on_finding, and is no error.
  virtual Result<CheckReport> Check(const CheckOptions& options) const = 0;

  virtual StoreStats GetStats() const = 0;
  // Space on the disk that holds the store.
  virtual Result<DiskSpace> GetDiskSpace() const = 0;

  // Whole values under keys of the root directory: see Reader::Get.
  Result<void> Put(std::string_view name, std::string_view value);
  Result<void> Erase(std::string_view name);  // kNotFound if absent
};

}  // namespace kvfs
