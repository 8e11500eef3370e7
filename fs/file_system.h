// A POSIX file system over a Store, without a kernel: inodes and names in, Result<T> out.
//
// A file is one entry of the store. Its inode number is the entry's id, given at creation, kept
// across renames and remounts, never used again. A directory's children lie in the directory whose
// number is the directory's inode number. Attributes are the entry's meta (fs/attributes.h),
// contents its content; a symbolic link's content is its target. The root directory is inode 1,
// and its attributes lie in an entry of its own, {kAttributeDirectory, "root"}. The names of a file
// with several names are hard links to its entry (fs/hard_link.h). Extended attributes lie in one
// entry for all of a file's (fs/xattrs.h).
//
// References. A call that returns an InodeInfo for a name (Lookup, CreateFile, ...) adds one
// reference to that inode; Forget takes them back. An inode is known to every other call as long
// as it has references. A file that loses its name while referenced moves to kTransientDirectory
// and works on until the last reference goes; the store erases what a crash leaves there.
//
// Atomicity. Each call is one batch of the store: it happens whole or not at all, also when the
// machine dies. Each change is acknowledged in the sense of the store (it survives the daemon);
// Sync makes it durable.
//
// Threads: every method is safe from many; fs/store_file_system.h tells of the locks.
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

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/store.h>
#include "fs/attributes.h"
#include "fs/inode_info.h"
#include "fs/listing_page.h"
#include "fs/ownership.h"
#include "fs/path_operation.h"
#include "fs/xattrs.h"

namespace kvfs::fs {

inline constexpr InodeNumber kRootInode = kRootDirectory;
// Directory of attributes that belong to no name: of the root directory.
inline constexpr DirectoryId kAttributeDirectory = 0;
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

  virtual ~FileSystem() = default;

  // --- names (fs/namespace.cc, fs/rename.cc) ---

  // Finds a name and adds a reference to its inode. kNotFound; kNotDirectory.
  virtual Result<InodeInfo> Lookup(InodeNumber parent, std::string_view name) = 0;

  // Takes back `count` references, at most as many as there are; the last one of an unlinked file
  // erases it. An unknown inode is passed over.
  virtual void Forget(InodeNumber inode, uint64_t count) = 0;

  // Create a regular file, fifo, socket or device (by the type in `mode`; kInvalid for another
  // type), a directory, a symbolic link, and add a reference to it. kExists; kNotFound if the
  // parent has been removed; kInvalid for a target that is empty or above 4095 bytes
  // (kNameTooLong). Group and setgid bit come from a setgid parent, as on Linux.
  virtual Result<InodeInfo> CreateFile(InodeNumber parent, std::string_view name, uint32_t mode,
                                       uint64_t device, const Caller& caller) = 0;
  virtual Result<InodeInfo> MakeDirectory(InodeNumber parent, std::string_view name,
                                          uint32_t permissions, const Caller& caller) = 0;
  virtual Result<InodeInfo> MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                             std::string_view target, const Caller& caller) = 0;

  // Gives a file a further name, or one without a name its first, and adds a reference to it.
  // kExists; kPermission for a directory; kTooManyLinks at kMaxLinks; kNotFound if the parent has
  // been removed.
  virtual Result<InodeInfo> Link(InodeNumber inode, InodeNumber parent, std::string_view name) = 0;

  // Takes a name away from what is not a directory. kNotFound; kIsDirectory.
  virtual Result<void> Unlink(InodeNumber parent, std::string_view name) = 0;
  // kNotFound; kNotDirectory; kNotEmpty.
  virtual Result<void> RemoveDirectory(InodeNumber parent, std::string_view name) = 0;

  // Gives an entry another name. kReplace replaces what has the new name, which must be of the
  // same kind (kIsDirectory, kNotDirectory) and, if a directory, empty (kNotEmpty). kNoReplace
  // fails with kExists instead. kExchange needs both names and swaps them. Two names of one file
  // stay as they are. kNotFound.
  virtual Result<void> Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                              std::string_view new_name, RenameMode mode) = 0;

  // Creates a regular file without a name, and adds a reference to it; it lives as an unlinked one,
  // and Link gives it a name. Group and setgid bit as if it were created in `directory`. kNotFound
  // if that was removed.
  virtual Result<InodeInfo> CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                              const Caller& caller) = 0;
  // Creates a regular file without a name for a content that is written piece by piece, and then
  // given to a file in one step (PathOperation::staged); adds a reference to it. `receiver` is the
  // number of the file that shall have it, which keeps its own; 0 for one that is yet to be made.
  virtual Result<InodeInfo> CreateStagedFile(InodeNumber receiver) = 0;

  // --- file handles (fs/inode_handles.cc) ---

  // Finds an inode by its number alone, and adds a reference to it, unless it is the root. kStale
  // if no name leads to such an inode. Of one without references it may take as long as a listing
  // of all directories, during which other calls go on.
  virtual Result<InodeInfo> LookupNumber(InodeNumber inode) = 0;
  // The same for the directory that a directory lies in; the root lies in itself. kNotDirectory.
  virtual Result<InodeInfo> LookupParent(InodeNumber directory) = 0;
  // What tells the inodes of this store from those of others, whatever their numbers. Never
  // changes.
  virtual uint32_t Generation() const = 0;

  // --- attributes (fs/set_attributes.cc) ---

  virtual Result<InodeInfo> GetAttributes(InodeNumber inode) = 0;
  // Makes all changes at once. Changing the owner or the size clears the setuid and setgid bits as
  // Linux does (fs/ownership.h). kIsDirectory or kInvalid for
  // the size of what is not a regular file; kTooLarge.
  virtual Result<InodeInfo> SetAttributes(InodeNumber inode, const AttributeChange& change,
                                          const Caller& caller) = 0;

  // --- extended attributes (fs/extended_attributes.cc) ---

  // Names are "user.x", "trusted.x", "security.x", and those of access control lists, which keep in
  // step with the mode (kUnsupported for others). Who may do what to which is the kernel's to
  // check. Every file also has kVersionXattr and kChecksumXattr, which are never listed and cannot
  // be changed (kPermission).

  // kNotFound if the inode has no such attribute.
  virtual Result<std::string> GetXattr(InodeNumber inode, std::string_view name) = 0;
  virtual Result<std::vector<std::string>> ListXattrs(InodeNumber inode) = 0;
  // kExists and kNotFound as `mode` has it; kInvalid for a name without a part behind the point;
  // kTooLarge above kMaxXattrValueBytes; kNoSpace above kMaxXattrBytes for all of an inode.
  virtual Result<void> SetXattr(InodeNumber inode, std::string_view name, std::string_view value,
                                XattrMode mode, const Caller& caller) = 0;
  // kNotFound.
  virtual Result<void> RemoveXattr(InodeNumber inode, std::string_view name) = 0;
  // Whether any inode has an extended attribute.
  virtual Result<bool> HasXattrs() const = 0;

  // --- contents (fs/file_content.cc) ---

  // Fills `out` from `offset`; returns the number of bytes, fewer only at the end of the file.
  virtual Result<size_t> Read(InodeNumber inode, uint64_t offset, MutableBytes out) = 0;
  // Writes all of `data`; clears the setuid and setgid bits as Linux does, and returns whether
  // that took any. kTooLarge for an end beyond kMaxContentBytes.
  virtual Result<bool> Write(InodeNumber inode, uint64_t offset, Bytes data,
                             const Caller& caller) = 0;
  // The same at the end of the file, wherever that is; `believed_end` is where the caller takes it
  // to be, which costs least where it is right.
  struct Appended {
    uint64_t offset = 0;  // where the data lies
    bool cleared_bits = false;
  };
  virtual Result<Appended> Append(InodeNumber inode, uint64_t believed_end, Bytes data,
                                  const Caller& caller) = 0;
  // kInvalid for what is not a symbolic link.
  virtual Result<std::string> ReadLink(InodeNumber inode) = 0;

  // --- space of contents (fs/file_space.cc) ---

  // kInvalid for what is not a regular file, and for no length; kTooLarge. A large range is
  // allocated in pieces; if the space does not suffice, the size is as before. So it is if
  // `is_interrupted`, which is asked between the pieces, says so: kConflict. `cleared_bits`, if
  // given, tells whether setuid or setgid went, also where the rest has failed.
  virtual Result<void> ChangeRange(InodeNumber inode, uint64_t offset, uint64_t length,
                                   RangeChange change, const Caller& caller,
                                   const std::function<bool()>& is_interrupted = {},
                                   bool* cleared_bits = nullptr) = 0;
  // Where the next data, or the next hole, begins at or behind `offset`; the end is a hole.
  // kNotFound if there is none, and for an offset at or behind the end.
  virtual Result<uint64_t> FindRange(InodeNumber inode, uint64_t offset, RangeKind kind) = 0;
  // Copies inside the store; returns how many bytes: fewer than asked at the end of `from`, and of
  // long ranges. kInvalid for ranges of one file that overlap. `cleared_bits` as above, of `to`.
  virtual Result<uint64_t> CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to,
                                     uint64_t to_offset, uint64_t length, const Caller& caller,
                                     bool* cleared_bits = nullptr) = 0;

  // --- listings (fs/directory_listing.cc) ---

  // Returns the names after `offset` (0, or the next_offset of an earlier entry), as many as
  // `limit` allows; none at the end. Starts with "." and "..". An offset stays right while other
  // names come and go. Entries that share one position of the store share their next_offset and
  // come in one page; only if they alone exceed the page are those that do not fit left out.
  // kNotDirectory.
  virtual Result<std::vector<DirectoryEntry>> ListDirectory(InodeNumber directory, uint64_t offset,
                                                            const PageLimit& limit) = 0;
  // The same with all attributes, and a reference added to each inode but those of "." and "..".
  virtual Result<std::vector<DirectoryEntry>> ListDirectoryPlus(InodeNumber directory,
                                                                uint64_t offset,
                                                                const PageLimit& limit) = 0;

  // --- many changes by path (fs/path_operations.cc) ---

  // Makes all changes, in their order, or none. Each sees those before it. Returns the names that
  // changed: a kernel that shows this file system must be told of them. Errors are those of the
  // calls above, and kConflict for an expectation that is not met; `failed`, if given, gets the
  // number of the change that was refused, or `changes.size()` if the whole was.
  virtual Result<std::vector<ChangedName>> ApplyChanges(std::span<const PathOperation> changes,
                                                        const Caller& caller,
                                                        size_t* failed = nullptr) = 0;

  // --- the whole (fs/store_file_system.cc) ---

  // Makes everything acknowledged before the call durable.
  virtual Result<void> Sync() = 0;
  virtual Result<SpaceReport> GetSpace() = 0;
  // The time that changes are stamped with.
  virtual Timespec Now() const = 0;
  // Where a referenced inode lies that has the name in the directory, as a path from the root
  // without a slash in front; nothing if one of them is not referenced. True for a moment.
  virtual std::optional<std::string> PathOf(const ChangedName& name) const = 0;
  // Inodes that are referenced now, without the root.
  virtual size_t CountReferencedInodes() const = 0;
  // Grows with each directory that moves, or goes, while it is referenced: as long as it stands
  // still, the way to a directory that is referenced stays what it was.
  virtual uint64_t DirectoryMoves() const = 0;

 protected:
  FileSystem() = default;
};

}  // namespace kvfs::fs
