// A batch: changes of any number of keys, applied atomically and in the order they were added.
//
// Later changes of a batch see the earlier ones. The batch borrows every name, content and meta
// passed to it: they must stay valid until Store::Apply has returned.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/bytes.h>

namespace kvfs {

// A directory's identity: groups the entries that are listed together.
using DirectoryId = uint64_t;

// Every opening of the store erases the entries of this directory. It is for entries that must not
// outlive their process, like files without a name. Operations on it cost the same as on any other.
inline constexpr DirectoryId kTransientDirectory = 2;
inline constexpr DirectoryId kRootDirectory = 1;
// Directories 0 and 3 to 15 are free for the caller; from 16 on, a directory's id is the id of an
// entry.
inline constexpr DirectoryId kFirstId = 16;

// The former names, kept for existing programs.
using Space = DirectoryId;
inline constexpr DirectoryId kTransientSpace = kTransientDirectory;
inline constexpr DirectoryId kRootSpace = kRootDirectory;

inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxMetaBytes = 255;
// Maximum size of a content: its end must be a valid file offset.
inline constexpr uint64_t kMaxContentBytes = (uint64_t{1} << 63) - 1;

// Names an entry. Borrows the name.
struct Key {
  DirectoryId directory = kRootDirectory;
  std::string_view name;  // 1 to kMaxNameBytes bytes, any byte

  bool operator==(const Key&) const = default;
};

// Computes an entry's new meta from its current one, under the entry's lock: it must be quick and
// must not call the store. It may be called more than once. If the result exceeds kMaxMetaBytes,
// the batch fails with kTooLarge.
using MetaEdit = std::function<void(std::string& meta)>;

class Batch {
 public:
  enum class IfPresent { kReplace, kRefuse };

  // Creates the entry, or replaces its content. An existing entry keeps its id, and its meta unless
  // `meta` is given. With kRefuse, an existing entry makes the batch fail with kExists. `id`, if
  // not null, receives the entry's id.
  void Put(Key key, Bytes content, std::optional<std::string_view> meta = {},
           IfPresent if_present = IfPresent::kReplace, uint64_t* id = nullptr);

  // Creates the entry with an id that Store::ReserveId or ReserveIdLike returned. kInvalid for an
  // id below 16 or above 2^62.
  void PutAs(Key key, uint64_t id, Bytes content, std::string_view meta);

  // Creates an empty entry with the id that it had in another store, of which this one is a copy:
  // for repair and restore. The caller must ensure that no other entry has this id. kExists if the
  // key is taken; kInvalid for an id below 16 or above 2^62. Later ids are greater than this id and
  // the key's directory, except where those are above 2^61.
  void Restore(Key key, uint64_t id, std::string_view meta);

  // In the operations below, an absent entry makes the batch fail with kNotFound.

  void Erase(Key key);
  // Overwrites bytes from `offset` on, extending the content where needed; a gap between its end
  // and the offset reads as zeros.
  void Write(Key key, uint64_t offset, Bytes data, MetaEdit edit = {});
  // The same at the content's end, which must be `offset`: kConflict otherwise.
  void Append(Key key, uint64_t offset, Bytes data, MetaEdit edit = {});
  // Truncates the content, or extends it with zeros, which take no space.
  void Resize(Key key, uint64_t size, MetaEdit edit = {});
  // Makes the range read as zeros and frees its whole blocks. The size stays.
  void Punch(Key key, uint64_t offset, uint64_t length, MetaEdit edit = {});
  // Allocates disk blocks for the holes in the range, so that a first write there does not fail for
  // lack of space. They read as zeros. The size stays.
  void Allocate(Key key, uint64_t offset, uint64_t length, MetaEdit edit = {});
  // Gives the entry another key. It keeps its id and its content, which is not copied. With
  // kReplace, an existing entry at `to` is replaced; with kRefuse, it makes the batch fail with
  // kExists. Moving a key to itself does nothing.
  void Move(Key from, Key to, MetaEdit edit = {}, IfPresent if_present = IfPresent::kReplace);
  // Swaps the keys of two entries; `edit` applies to the entry that had the key `one`.
  void Exchange(Key one, Key other, MetaEdit edit = {}, MetaEdit other_edit = {});
  void EditMeta(Key key, MetaEdit edit);
  // Gives the entry `key` the content of the entry `from`, and erases `from`. `key` keeps its id
  // and, apart from `edit`, its meta. The content is not copied: a large one can be written at
  // leisure and then replace another in one step. kInvalid unless the id of `from` came from
  // Store::ReserveIdLike(id of `key`).
  void TakeContent(Key key, Key from, MetaEdit edit = {});

  // Makes the batch fail unless, before it, the entry is absent (kAbsent) or has exactly this
  // version (see EntryInfo). kExists if it should be absent and is not; kNotFound if it should
  // exist and does not; kConflict if its version differs.
  static constexpr uint64_t kAbsent = 0;
  void Expect(Key key, uint64_t version);

  bool empty() const { return operations_.empty(); }

  struct Operation {
    enum class Kind {
      kPut,
      kRestore,
      kErase,
      kWrite,
      kResize,
      kPunch,
      kAllocate,
      kMove,
      kExchange,
      kEditMeta,
      kExpect,
      kTakeContent,
    };
    Kind kind = Kind::kPut;
    Key key;
    Key to;  // kMove, kExchange; the source for kTakeContent
    uint64_t offset =
        0;  // kWrite, kPunch, kAllocate; the size for kResize, the version for kExpect
    uint64_t length = 0;  // kPunch, kAllocate
    Bytes data;           // kPut, kWrite
    bool at_end = false;  // kWrite: fails unless the content ends at `offset`
    std::optional<std::string_view> meta;
    IfPresent if_present = IfPresent::kReplace;
    uint64_t* id = nullptr;
    std::optional<uint64_t> given_id;  // kPut: of the new entry
    MetaEdit edit;
    MetaEdit to_edit;  // kExchange
  };
  // Whether an operation of this kind also involves the entry with the key `to`.
  static bool HasSecondKey(Operation::Kind kind) {
    return kind == Operation::Kind::kMove || kind == Operation::Kind::kExchange ||
           kind == Operation::Kind::kTakeContent;
  }
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  Operation& Add(Operation::Kind kind, Key key);

  std::vector<Operation> operations_;
};

}  // namespace kvfs
