// A POSIX file system over a Store, without a kernel: inodes and names in, Result<T> out.
//
// A file is one entry of the store. Its inode number is the entry's id, given at creation, kept
// across renames and remounts, never used again. A directory's children lie in the space whose
// number is the directory's inode number. Attributes are the entry's meta (fs/attributes.h),
// contents its content; a symbolic link's content is its target. The root directory is inode 1,
// and its attributes lie in an entry of its own, {kAttributeSpace, "root"}. The names of a file
// with several names are hard links to its entry (fs/hard_link.h). Extended attributes lie in one
// entry for all of a file's (fs/xattrs.h).
//
// References. A call that returns an InodeInfo for a name (Lookup, CreateFile, ...) adds one
// reference to that inode; Forget takes them back. An inode is known to every other call as long
// as it has references. A file that loses its name while referenced moves to kTransientSpace and
// works on until the last reference goes; the store erases what a crash leaves there.
//
// Atomicity. Each call is one batch of the store: it happens whole or not at all, also when the
// machine dies. Each change is acknowledged in the sense of the store (it survives the daemon);
// Sync makes it durable.
//
// Locks. `namespace_lock_` is exclusive for calls that change where an entry lies, or its number of
// names (Link, Unlink, RemoveDirectory, Rename, ApplyChanges), shared for all others, and not held
// by Sync. Neither side keeps the other out (FairSharedMutex), so a call that takes long would hold
// up all that come behind who waits for it: what goes through a whole content takes the lock for
// pieces. Attributes are changed by MetaEdits, under the store's own locks. Every method is safe
// from many threads.
//
// The mode of a new file is what its creator asked for, less the caller's umask, or as a default
// access control list of its directory has it.
//
// Permissions are the caller's duty (a mount leaves them to the kernel), and so is refusing to
// rename a directory into its own subtree.
//
// Errors that any call may return, beside those it names: kStale for an inode without references,
// kCorrupt, kIo, kReadOnly, kNoSpace as the store does. For names: kNameTooLong above 255 bytes,
// kInvalid for an empty one, "." and "..", or one with a '/' or a NUL.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "fs/attribute_batch.h"
#include "fs/attributes.h"
#include "fs/hard_link.h"
#include "fs/inode_finder.h"
#include "fs/inode_info.h"
#include "fs/inode_table.h"
#include "fs/listing_page.h"
#include "fs/ownership.h"
#include "fs/path_operation.h"
#include "fs/xattrs.h"
#include "store/base/fair_shared_mutex.h"

namespace kvfs::fs {

inline constexpr InodeNumber kRootInode = kRootSpace;
// Space of attributes that belong to no name: of the root directory.
inline constexpr Space kAttributeSpace = 0;
// As many names as a file may have.
inline constexpr uint32_t kMaxLinks = 2'147'483'647;

// What SetAttributes shall change.
struct AttributeChange {
  std::optional<uint32_t> permissions = {};  // the lower 12 bits of the mode
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  std::optional<uint64_t> size_bytes = {};
  std::optional<Timespec> atime = {};
  std::optional<Timespec> mtime = {};
  std::optional<Timespec> ctime = {};  // now, if anything changes and this is not given
  // Takes setuid and setgid away as a change of the owner does, and changes ctime, if the caller
  // is the owner or root; otherwise nothing.
  bool drops_privileges = false;
};

enum class RenameMode { kReplace, kNoReplace, kExchange };
enum class XattrMode { kAny, kCreate, kReplace };
// Ways of fallocate: holes get space, beyond the end as well or inside only; a range loses its
// space; a range reads as zeros, and has space.
enum class RangeChange { kAllocate, kAllocateKeepingSize, kPunch, kZero, kZeroKeepingSize };
enum class RangeKind { kData, kHole };

struct SpaceReport {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t entries = 0;
};

struct FileSystemOptions {
  // Owner of entries without attributes (made by the store library, not by a mount), and of a new
  // root directory. Such entries are regular files of mode 0644 whose times are `default_time`.
  uint32_t default_uid = 0;
  uint32_t default_gid = 0;
  Timespec default_time;
  // Tells the time; the system's clock if empty.
  std::function<Timespec()> clock;
  // A kernel with write-back caching holds contents and sizes of its own, and cannot be told of
  // others: ApplyChanges refuses to change those of files that are there (kUnsupported).
  bool kernel_holds_contents = false;
  // Offsets of listings have 31 bits, for programs of 32 bits; names may share one then.
  bool short_offsets = false;
};

class FileSystem {
 public:
  // Opens the file system in `store`, which must outlive it, and creates the root directory where
  // the store has none yet; of a store that is only read, one is shown.
  static Result<std::unique_ptr<FileSystem>> Open(Store& store, FileSystemOptions options = {});

  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  // --- names (fs/namespace.cc, fs/rename.cc) ---

  // Finds a name and adds a reference to its inode. kNotFound; kNotDirectory.
  Result<InodeInfo> Lookup(InodeNumber parent, std::string_view name);

  // Takes back `count` references, at most as many as there are; the last one of an unlinked file
  // erases it. An unknown inode is passed over.
  void Forget(InodeNumber inode, uint64_t count);

  // Create a regular file, fifo, socket or device (by the type in `mode`; kInvalid for another
  // type), a directory, a symbolic link, and add a reference to it. kExists; kNotFound if the
  // parent has been removed; kInvalid for a target that is empty or above 4095 bytes
  // (kNameTooLong). Group and setgid bit come from a setgid parent, as on Linux.
  Result<InodeInfo> CreateFile(InodeNumber parent, std::string_view name, uint32_t mode,
                               uint64_t device, const Caller& caller);
  Result<InodeInfo> MakeDirectory(InodeNumber parent, std::string_view name, uint32_t permissions,
                                  const Caller& caller);
  Result<InodeInfo> MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                     std::string_view target, const Caller& caller);

  // Gives a file a further name, or one without a name its first, and adds a reference to it.
  // kExists; kPermission for a directory; kTooManyLinks at kMaxLinks; kNotFound if the parent has
  // been removed.
  Result<InodeInfo> Link(InodeNumber inode, InodeNumber parent, std::string_view name);

  // Takes a name away from what is not a directory. kNotFound; kIsDirectory.
  Result<void> Unlink(InodeNumber parent, std::string_view name);
  // kNotFound; kNotDirectory; kNotEmpty.
  Result<void> RemoveDirectory(InodeNumber parent, std::string_view name);

  // Gives an entry another name. kReplace replaces what has the new name, which must be of the
  // same kind (kIsDirectory, kNotDirectory) and, if a directory, empty (kNotEmpty). kNoReplace
  // fails with kExists instead. kExchange needs both names and swaps them. Two names of one file
  // stay as they are. kNotFound.
  Result<void> Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                      std::string_view new_name, RenameMode mode);

  // Creates a regular file without a name, and adds a reference to it; it lives as an unlinked one,
  // and Link gives it a name. Group and setgid bit as if it were created in `directory`. kNotFound
  // if that was removed.
  Result<InodeInfo> CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                      const Caller& caller);
  // Creates a regular file without a name for a content that is written piece by piece, and then
  // given to a file in one step (PathOperation::staged); adds a reference to it. `receiver` is the
  // number of the file that shall have it, which keeps its own; 0 for one that is yet to be made.
  Result<InodeInfo> CreateStagedFile(InodeNumber receiver);

  // --- file handles (fs/inode_handles.cc) ---

  // Finds an inode by its number alone, and adds a reference to it, unless it is the root. kStale
  // if no name leads to such an inode. Of one without references it may take as long as a listing
  // of all directories, during which other calls go on.
  Result<InodeInfo> LookupNumber(InodeNumber inode);
  // The same for the directory that a directory lies in; the root lies in itself. kNotDirectory.
  Result<InodeInfo> LookupParent(InodeNumber directory);
  // What tells the inodes of this store from those of others, whatever their numbers. Never
  // changes.
  uint32_t Generation() const { return generation_; }

  // --- attributes (fs/inode_attributes.cc) ---

  Result<InodeInfo> GetAttributes(InodeNumber inode);
  // Makes all changes at once. Changing the owner or the size clears the setuid and setgid bits as
  // Linux does (fs/ownership.h). kIsDirectory or kInvalid for
  // the size of what is not a regular file; kTooLarge.
  Result<InodeInfo> SetAttributes(InodeNumber inode, const AttributeChange& change,
                                  const Caller& caller);

  // --- extended attributes (fs/extended_attributes.cc) ---

  // Names are "user.x", "trusted.x", "security.x", and those of access control lists, which keep in
  // step with the mode (kUnsupported for others). Who may do what to which is the kernel's to
  // check. Every file also has kVersionXattr and kChecksumXattr, which are never listed and cannot
  // be changed (kPermission).

  // kNotFound if the inode has no such attribute.
  Result<std::string> GetXattr(InodeNumber inode, std::string_view name);
  Result<std::vector<std::string>> ListXattrs(InodeNumber inode);
  // kExists and kNotFound as `mode` has it; kInvalid for a name without a part behind the point;
  // kTooLarge above kMaxXattrValueBytes; kNoSpace above kMaxXattrBytes for all of an inode.
  Result<void> SetXattr(InodeNumber inode, std::string_view name, std::string_view value,
                        XattrMode mode, const Caller& caller);
  // kNotFound.
  Result<void> RemoveXattr(InodeNumber inode, std::string_view name);
  // Whether any inode has an extended attribute.
  Result<bool> HasXattrs() const;

  // --- contents (fs/file_content.cc) ---

  // Fills `out` from `offset`; returns the number of bytes, fewer only at the end of the file.
  Result<size_t> Read(InodeNumber inode, uint64_t offset, MutableBytes out);
  // Writes all of `data`; clears the setuid and setgid bits as Linux does, and returns whether
  // that took any. kTooLarge for an end beyond kMaxContentBytes.
  Result<bool> Write(InodeNumber inode, uint64_t offset, Bytes data, const Caller& caller);
  // The same at the end of the file, wherever that is; `believed_end` is where the caller takes it
  // to be, which costs least where it is right.
  struct Appended {
    uint64_t offset = 0;  // where the data lies
    bool cleared_bits = false;
  };
  Result<Appended> Append(InodeNumber inode, uint64_t believed_end, Bytes data,
                          const Caller& caller);
  // kInvalid for what is not a symbolic link.
  Result<std::string> ReadLink(InodeNumber inode);

  // --- space of contents (fs/file_space.cc) ---

  // kInvalid for what is not a regular file, and for no length; kTooLarge. A large range is
  // allocated in pieces; if the space does not suffice, the size is as before. So it is if
  // `is_interrupted`, which is asked between the pieces, says so: kConflict. `cleared_bits`, if
  // given, tells whether setuid or setgid went, also where the rest has failed.
  Result<void> ChangeRange(InodeNumber inode, uint64_t offset, uint64_t length, RangeChange change,
                           const Caller& caller, const std::function<bool()>& is_interrupted = {},
                           bool* cleared_bits = nullptr);
  // Where the next data, or the next hole, begins at or behind `offset`; the end is a hole.
  // kNotFound if there is none, and for an offset at or behind the end.
  Result<uint64_t> FindRange(InodeNumber inode, uint64_t offset, RangeKind kind);
  // Copies inside the store; returns how many bytes: fewer than asked at the end of `from`, and of
  // long ranges. kInvalid for ranges of one file that overlap. `cleared_bits` as above, of `to`.
  Result<uint64_t> CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to,
                             uint64_t to_offset, uint64_t length, const Caller& caller,
                             bool* cleared_bits = nullptr);

  // --- listings (fs/directory_listing.cc) ---

  // Returns the names after `offset` (0, or the next_offset of an earlier entry), as many as
  // `limit` allows; none at the end. Starts with "." and "..". An offset stays right while other
  // names come and go. Entries that share one position of the store share their next_offset and
  // come in one page; only if they alone exceed the page are those that do not fit left out.
  // kNotDirectory.
  Result<std::vector<DirectoryEntry>> ListDirectory(InodeNumber directory, uint64_t offset,
                                                    const PageLimit& limit);
  // The same with all attributes, and a reference added to each inode but those of "." and "..".
  Result<std::vector<DirectoryEntry>> ListDirectoryPlus(InodeNumber directory, uint64_t offset,
                                                        const PageLimit& limit);

  // --- many changes by path (fs/path_operations.cc) ---

  // Makes all changes, in their order, or none. Each sees those before it. Returns the names that
  // changed: a kernel that shows this file system must be told of them. Errors are those of the
  // calls above, and kConflict for an expectation that is not met; `failed`, if given, gets the
  // number of the change that was refused, or `changes.size()` if the whole was.
  Result<std::vector<ChangedName>> ApplyChanges(std::span<const PathOperation> changes,
                                                const Caller& caller, size_t* failed = nullptr);

  // --- the whole (fs/file_system.cc) ---

  // Makes everything acknowledged before the call durable.
  Result<void> Sync();
  Result<SpaceReport> GetSpace();
  // The time that changes are stamped with.
  Timespec Now() const { return options_.clock(); }
  // Where a referenced inode lies that has the name in the directory, as a path from the root
  // without a slash in front; nothing if one of them is not referenced. True for a moment.
  std::optional<std::string> PathOf(const ChangedName& name) const;
  // Inodes that are referenced now, without the root.
  size_t CountReferencedInodes() const { return inodes_.Count(); }
  // Grows with each directory that moves, or goes, while it is referenced: as long as it stands
  // still, the way to a directory that is referenced stays what it was.
  uint64_t DirectoryMoves() const { return inodes_.directory_moves(); }

 private:
  class ChangeResolver;
  FileSystem(Store& store, FileSystemOptions options);

  // What the following return is true as long as the namespace lock is held, shared or not.

  // Where the inode's entry lies. kStale.
  Result<Location> Locate(InodeNumber inode) const;
  // The same for a directory in which names change. kNotDirectory; kNotFound if it was removed.
  Result<Location> LocateParent(InodeNumber directory) const;
  // The same for a content of which a range is wanted. kIsDirectory; kTooLarge.
  Result<Location> LocateContent(InodeNumber inode, uint64_t offset, uint64_t length) const;
  // What the inode's own entry, at `key`, says of it. kNotFound.
  Result<InodeInfo> Load(Key key) const;

  // What a name leads to. The inode's own entry has the name, or the name is a hard link to it.
  struct Found {
    InodeInfo inode;
    Location at;
    bool is_shared = false;  // the name is a hard link

    bool IsDirectory() const { return inode.attributes.IsDirectory(); }
    bool IsLastName() const { return !is_shared || inode.attributes.links <= 1; }
  };
  // kNotFound.
  Result<Found> Find(Key name) const;
  Result<Found> Follow(std::string_view hard_link) const;
  // The same, but nothing where there is no such name.
  Result<std::optional<Found>> FindIfPresent(Key name) const;
  Result<InodeInfo> FindAndReference(Key name);

  InodeFinder::Kind KindOf(std::string_view meta) const;
  Result<InodeInfo> ReferenceKnown(InodeNumber inode);
  Result<InodeInfo> ReferenceAt(const InodeFinder::Place& place);

  Result<InodeInfo> CreateEntry(InodeNumber parent, std::string_view name, Attributes attributes,
                                Bytes content, const Caller& caller);
  Result<void> PutWithXattrs(AttributeBatch& change, Key key, Bytes content, std::string_view meta,
                             const XattrMap& xattrs);
  Result<void> RemoveName(InodeNumber parent, std::string_view name, bool directory);
  // kIsDirectory, kNotDirectory or kNotEmpty where unlink, or else rmdir, would say so.
  Result<void> CheckRemovable(const InodeInfo& inode, bool as_directory) const;

  // Add to `change`: that a file without a name gets one; that one with a name gets another (where
  // its entry then lies is returned).
  void GiveFirstName(AttributeBatch& change, const Location& at, const InodeInfo& file, Key name,
                     Timespec now) const;
  static Key Share(AttributeBatch& change, const Location& at, const InodeInfo& file, Timespec now);

  // A name that takes part in a rename, and the key of its directory's own entry.
  struct RenamePlace {
    Key entry;
    Key parent;
  };
  Result<void> MoveEntry(const RenamePlace& from, const Found& moved, const RenamePlace& to,
                         const std::optional<Found>& replaced);
  Result<void> ExchangeEntries(const RenamePlace& from, const Found& moved, const RenamePlace& to,
                               const Found& other);
  static void TouchParents(AttributeBatch& change, const RenamePlace& from, int more_in_from,
                           const RenamePlace& to, int more_in_to, Timespec now);

  // Add to `change`: that an inode loses a name (and, with the last one, that it is erased, or goes
  // to kTransientSpace if it is referenced); that names in a directory change.
  void DropName(AttributeBatch& change, Key name, const Found& found, Timespec now) const;
  void Retire(AttributeBatch& change, const Found& found, Timespec now) const;
  static void TouchDirectory(AttributeBatch& change, Key directory, int more_subdirectories,
                             Timespec now);
  // After a DropName has been applied: notes where the inode is now.
  void NoteDrop(const Found& found);
  static std::string TransientName(InodeNumber inode);

  // For a change of a content: the times, and the bits that an ordinary user's change takes away.
  // `clears_bits`, if given, tells once the batch is applied whether there were any.
  MetaEdit Touch(AttributeBatch& change, const Caller& caller, bool* clears_bits = nullptr) const;
  // kNoSpace where the disk has plainly no room for so much more of the file.
  Result<void> CheckRoom(const InodeInfo& file, uint64_t bytes);
  // Does beforehand what a cut of a large content does in parts.
  Result<void> CutInParts(InodeNumber inode, const std::function<void(Batch&, Key)>& cut);
  Result<std::string> GetChecksum(InodeNumber inode);
  Result<void> AllocateInPieces(InodeNumber inode, uint64_t offset, uint64_t end,
                                const std::function<bool()>& is_interrupted);

  // Extended attributes (fs/extended_attributes.cc). Where those of the inode at `at` lie; whether
  // there are any; all of them, none if there are none.
  static Location XattrsOf(const Location& at, InodeNumber inode);
  static std::string UnnamedXattrName(InodeNumber inode);
  bool HasStoredXattrs(const InodeInfo& inode, Key key) const;
  struct StoredXattrs {
    XattrMap xattrs;
    uint64_t version = Batch::kAbsent;  // of their entry
  };
  Result<StoredXattrs> LoadXattrs(const Location& at, const InodeInfo& inode) const;
  // Adds to `change` that they become `after`, if they are still `before`.
  void AddXattrs(AttributeBatch& change, const Location& at, InodeNumber inode,
                 const StoredXattrs& before, const XattrMap& after) const;
  // The edit may change the inode's mode as well.
  using XattrEdit = std::function<Result<void>(InodeInfo& inode, XattrMap& xattrs)>;
  Result<void> ChangeXattrs(InodeNumber inode, const XattrEdit& edit);

  // Access control lists (fs/access_control.cc). For a new list of the inode among its xattrs: sets
  // the mode that it tells of. kInvalid, kPermission.
  static Result<void> TakeAccessList(InodeInfo& inode, XattrMap& xattrs, const Caller& caller);
  static Result<void> CheckDefaultList(const InodeInfo& inode, std::string_view value);
  // Adds to `change` what a change of the mode means for the inode's list.
  Result<void> AddModeToList(AttributeBatch& change, const Location& at, const InodeInfo& inode,
                             uint32_t permissions) const;
  // The lists of a new inode, and its mode by its parent's default list, or else by the umask.
  static Result<XattrMap> InheritAccess(Attributes& child, const XattrMap& of_parent,
                                        const Caller& caller);

  // Appends at `end`. kConflict if the file does not end there.
  Result<Appended> AppendAt(const Location& at, uint64_t end, Bytes data, const Caller& caller);

  Result<std::vector<DirectoryEntry>> ListPage(InodeNumber directory, uint64_t offset,
                                               const PageLimit& limit) const;
  // Number and type of what a name leads to.
  InodeInfo InodeOf(const ListedEntry& entry) const;
  std::string NewUnnamed();

  Store& store_;
  const FileSystemOptions options_;
  const Attributes default_attributes_;    // of entries whose meta is empty
  std::optional<Attributes> absent_root_;  // shown where a store that is only read has no root
  InodeTable inodes_;
  InodeFinder finder_;
  uint32_t generation_ = 0;
  mutable FairSharedMutex namespace_lock_;
  const uint64_t opened_at_;                // the number of the newest change
  std::atomic<uint64_t> unnamed_files_{0};  // since, to tell their entries apart
};

}  // namespace kvfs::fs
