// A batch: changes of any keys that happen together or not at all, in the order they were added.
//
// Later changes of a batch see the earlier ones. The batch borrows every name, content and meta
// that it is given: they must stay valid until Store::Apply has returned.
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

// Entries of this directory are erased each time the store is opened: for what must not outlive its
// process, like a file without a name. Its own operations cost what all others cost.
inline constexpr DirectoryId kTransientDirectory = 2;
inline constexpr DirectoryId kRootDirectory = 1;
// Directories 0 and 3 to 15 are the caller's to use; from 16 on a directory is an entry's id.
inline constexpr DirectoryId kFirstId = 16;

// Former names of the same, for programs that were written with them.
using Space = DirectoryId;
inline constexpr DirectoryId kTransientSpace = kTransientDirectory;
inline constexpr DirectoryId kRootSpace = kRootDirectory;

inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxMetaBytes = 255;
// Largest size of a content; its end must be a valid file offset.
inline constexpr uint64_t kMaxContentBytes = (uint64_t{1} << 63) - 1;

// Names an entry. Borrows the name.
struct Key {
  DirectoryId directory = kRootDirectory;
  std::string_view name;  // 1 to kMaxNameBytes bytes, any byte

  bool operator==(const Key&) const = default;
};

// Computes an entry's new meta from its present one, under the entry's lock: it must be short and
// must not call the store. It may be called more than once. A result above kMaxMetaBytes refuses
// the batch with kTooLarge.
using MetaEdit = std::function<void(std::string& meta)>;

class Batch {
 public:
  enum class IfPresent { kReplace, kRefuse };

  // Creates the entry, or replaces its content. A present entry keeps its id, and, where `meta` is
  // not given, its meta. With kRefuse a present entry refuses the batch with kExists.
  // `id`, if given, receives the entry's id.
  void Put(Key key, Bytes content, std::optional<std::string_view> meta = {},
           IfPresent if_present = IfPresent::kReplace, uint64_t* id = nullptr);

  // Creates the entry with an id that Store::ReserveId or ReserveIdLike has given. kInvalid for an
  // id below 16 or above 2^62.
  void PutAs(Key key, uint64_t id, Bytes content, std::string_view meta);

  // Creates an empty entry with an id that it had in another store, of which this one is a copy:
  // for repair and restoring. The caller must ensure that no other entry has it. kExists; kInvalid
  // for an id below 16 or above 2^62. Ids that are given later are above it, and above the entry's
  // space, as far as these are not above 2^61.
  void Restore(Key key, uint64_t id, std::string_view meta);

  // The following refuse the batch with kNotFound where the entry is absent.

  void Erase(Key key);
  // Replaces bytes; a gap between the content's end and the offset reads as zeros.
  void Write(Key key, uint64_t offset, Bytes data, MetaEdit edit = {});
  // The same at the content's end, which must be `offset`: kConflict where it is elsewhere.
  void Append(Key key, uint64_t offset, Bytes data, MetaEdit edit = {});
  // Cuts the content, or extends it with zeros, which take no space.
  void Resize(Key key, uint64_t size, MetaEdit edit = {});
  // Makes the range read as zeros and gives its whole blocks back. The size stays.
  void Punch(Key key, uint64_t offset, uint64_t length, MetaEdit edit = {});
  // Gives the holes in the range blocks of the disk, which read as zeros, so that a first write
  // there does not fail for want of space. The size stays.
  void Allocate(Key key, uint64_t offset, uint64_t length, MetaEdit edit = {});
  // Gives the entry another key; id and content stay, the content is not copied. With kReplace an
  // entry that has the key `to` is replaced; with kRefuse it refuses the batch with kExists. Moving
  // a key to itself does nothing.
  void Move(Key from, Key to, MetaEdit edit = {}, IfPresent if_present = IfPresent::kReplace);
  // Two entries change places; `edit` is for that which had the key `one`.
  void Exchange(Key one, Key other, MetaEdit edit = {}, MetaEdit other_edit = {});
  void EditMeta(Key key, MetaEdit edit);
  // Gives the entry the content of another, which is erased; id and, but for `edit`, meta stay. The
  // content is not copied: so a large one can be written in peace, and replace another in one step.
  // kInvalid unless the other's id came from Store::ReserveIdLike(id of the entry).
  void TakeContent(Key key, Key from, MetaEdit edit = {});

  // Refuses the batch unless the entry is, before it, as expected: kAbsent, or of exactly this
  // version (see EntryInfo). kExists for an entry that should be absent, kNotFound for one that is,
  // kConflict for another version.
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
    Key to;  // kMove, kExchange; whence for kTakeContent
    uint64_t offset =
        0;  // kWrite, kPunch, kAllocate; the size for kResize, the version for kExpect
    uint64_t length = 0;  // kPunch, kAllocate
    Bytes data;           // kPut, kWrite
    bool at_end = false;  // kWrite: refused unless the content ends at `offset`
    std::optional<std::string_view> meta;
    IfPresent if_present = IfPresent::kReplace;
    uint64_t* id = nullptr;
    std::optional<uint64_t> given_id;  // kPut: of the new entry
    MetaEdit edit;
    MetaEdit to_edit;  // kExchange
  };
  // Whether an operation of this kind concerns the entry with the key `to` as well.
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
