// A POSIX file system over a Store, without a kernel: inodes and names in, Result<T> out.
//
// A file is one entry of the store. Its inode number is the entry's id, assigned at creation, kept
// across renames and remounts, and never reused. A directory's children are the entries of the
// store's directory with the same number. A file's attributes are the entry's meta
// (fs/attributes.h), its content the entry's content; a symbolic link's content is its target. The
// root directory is inode 1, and its attributes are in a separate entry, {kAttributeDirectory,
// "root"}. The names of a file with several names are hard links to its entry (fs/hard_link.h). All
// extended attributes of a file are in one further entry (fs/xattrs.h).
//
// References. A call that returns an InodeInfo for a name (Lookup, CreateFile, ...) adds one
// reference to that inode; Forget takes them back. An inode is known to every other call as long
// as it has references. A file that loses its name while referenced moves to kTransientDirectory
// and works on until the last reference goes; the store erases what a crash leaves there.
//
// Atomicity. Each call is one batch of the store, and so atomic, even across power loss. On return
// a change is acknowledged in the sense of the store (it survives a crash of the daemon); Sync
// makes it durable.
//
// Threads: every method is thread-safe; fs/store_file_system.h describes the locks.
//
// The mode of a new file is the requested one, limited by the caller's umask or, instead, by the
// directory's default access control list.
//
// The caller must check permissions (a mount leaves that to the kernel), and must refuse to rename
// a directory into its own subtree.
//
// Errors that any call may return, besides those it names: kStale for an inode without references,
// and the store's kCorrupt, kIo, kReadOnly, kNoSpace. For names: kNameTooLong above 255 bytes,
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
// Directory for attributes that belong to no name: those of the root directory.
inline constexpr DirectoryId kAttributeDirectory = 0;
// Maximum number of names of a file.
inline constexpr uint32_t kMaxLinks = 2'147'483'647;

// The changes that SetAttributes makes.
struct AttributeChange {
  std::optional<uint32_t> permissions = {};  // the lower 12 bits of the mode
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  std::optional<uint64_t> size_bytes = {};
  std::optional<Timespec> atime = {};
  std::optional<Timespec> mtime = {};
  std::optional<Timespec> ctime = {};  // the current time if not given and anything changes
  // Clears setuid and setgid as a change of owner does, and updates ctime, if the caller is the
  // owner or root; otherwise does nothing.
  bool drops_privileges = false;
};

enum class RenameMode { kReplace, kNoReplace, kExchange };
enum class XattrMode { kAny, kCreate, kReplace };
// Modes of fallocate: allocate space for holes, extending the file or keeping its size; free a
// range's space; make a range read as zeros, with space allocated.
enum class RangeChange { kAllocate, kAllocateKeepingSize, kPunch, kZero, kZeroKeepingSize };
enum class RangeKind { kData, kHole };

struct SpaceReport {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t entries = 0;
};

struct FileSystemOptions {
  // Owner of entries without attributes (created with the store library, not through a mount), and
  // of a new root directory. Such entries are regular files of mode 0644 with the times
  // `default_time`.
  uint32_t default_uid = 0;
  uint32_t default_gid = 0;
  Timespec default_time;
  // Returns the current time; the system's clock if empty.
  std::function<Timespec()> clock;
  // A kernel with write-back caching has its own contents and sizes, and cannot be told of changes
  // to them: ApplyChanges then refuses to change those of existing files (kUnsupported).
  bool kernel_holds_contents = false;
  // Listing offsets have 31 bits, for 32-bit programs; several names may then share one.
  bool short_offsets = false;
};

class FileSystem {
 public:
  // Opens the file system in `store`, which must outlive it, and creates the root directory if the
  // store has none yet; in a read-only store, a virtual one is shown.
  static Result<std::unique_ptr<FileSystem>> Open(Store& store, FileSystemOptions options = {});

  virtual ~FileSystem() = default;

  // --- names (fs/namespace.cc, fs/rename.cc) ---

  // Finds a name and adds a reference to its inode. kNotFound; kNotDirectory.
  virtual Result<InodeInfo> Lookup(InodeNumber parent, std::string_view name) = 0;

  // Drops `count` references, at most as many as there are; dropping the last one of an unlinked
  // file erases it. An unknown inode is ignored.
  virtual void Forget(InodeNumber inode, uint64_t count) = 0;

  // Create a regular file, fifo, socket or device (by the type in `mode`; kInvalid for other
  // types), a directory, or a symbolic link, and add a reference to it. kExists; kNotFound if the
  // parent has been removed; for a target, kInvalid if it is empty, kNameTooLong above 4095 bytes.
  // Group and setgid bit come from a setgid parent, as on Linux.
  virtual Result<InodeInfo> CreateFile(InodeNumber parent, std::string_view name, uint32_t mode,
                                       uint64_t device, const Caller& caller) = 0;
  virtual Result<InodeInfo> MakeDirectory(InodeNumber parent, std::string_view name,
                                          uint32_t permissions, const Caller& caller) = 0;
  virtual Result<InodeInfo> MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                             std::string_view target, const Caller& caller) = 0;

  // Gives a file another name, or its first one if it has none, and adds a reference to it.
  // kExists; kPermission for a directory; kTooManyLinks at kMaxLinks; kNotFound if the parent has
  // been removed.
  virtual Result<InodeInfo> Link(InodeNumber inode, InodeNumber parent, std::string_view name) = 0;

  // Removes a name of a file that is not a directory. kNotFound; kIsDirectory.
  virtual Result<void> Unlink(InodeNumber parent, std::string_view name) = 0;
  // kNotFound; kNotDirectory; kNotEmpty.
  virtual Result<void> RemoveDirectory(InodeNumber parent, std::string_view name) = 0;

  // Renames an entry. kReplace replaces an entry at the new name, which must be of the same kind
  // (kIsDirectory, kNotDirectory) and, if a directory, empty (kNotEmpty). kNoReplace fails with
  // kExists instead. kExchange needs both names and swaps them. If both names belong to one file,
  // nothing happens. kNotFound.
  virtual Result<void> Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                              std::string_view new_name, RenameMode mode) = 0;

  // Creates a regular file without a name, and adds a reference to it. It lives as long as an
  // unlinked file, unless Link gives it a name. Group and setgid bit are as for a file created in
  // `directory`. kNotFound if that directory has been removed.
  virtual Result<InodeInfo> CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                              const Caller& caller) = 0;
  // Creates a regular file without a name for a content that is written piece by piece, and then
  // given to another file in one step (PathOperation::staged); adds a reference to it. `receiver`
  // is the number of the file that will get the content and keeps its own number; 0 for a file yet
  // to be created.
  virtual Result<InodeInfo> CreateStagedFile(InodeNumber receiver) = 0;

  // --- file handles (fs/inode_handles.cc) ---

  // Finds an inode by its number alone, and adds a reference to it, unless it is the root. kStale
  // if no name leads to such an inode. For an inode without references this may take as long as a
  // listing of all directories; other calls go on meanwhile.
  virtual Result<InodeInfo> LookupNumber(InodeNumber inode) = 0;
  // The same for the parent of a directory; the root is its own parent. kNotDirectory.
  virtual Result<InodeInfo> LookupParent(InodeNumber directory) = 0;
  // A number that distinguishes the inodes of this store from those of other stores. Never changes.
  virtual uint32_t Generation() const = 0;

  // --- attributes (fs/set_attributes.cc) ---

  virtual Result<InodeInfo> GetAttributes(InodeNumber inode) = 0;
  // Makes all changes in one step. Changing the owner or the size clears the setuid and setgid bits
  // as Linux does (fs/ownership.h). kIsDirectory or kInvalid for a change of size of anything but a
  // regular file; kTooLarge.
  virtual Result<InodeInfo> SetAttributes(InodeNumber inode, const AttributeChange& change,
                                          const Caller& caller) = 0;

  // --- extended attributes (fs/extended_attributes.cc) ---

  // Names are "user.x", "trusted.x", "security.x", and those of access control lists, which are
  // kept consistent with the mode (kUnsupported for others). The kernel checks access. Every file
  // also has kVersionXattr and kChecksumXattr, which are never listed and cannot be changed
  // (kPermission).

  // kNotFound if the inode has no such attribute.
  virtual Result<std::string> GetXattr(InodeNumber inode, std::string_view name) = 0;
  virtual Result<std::vector<std::string>> ListXattrs(InodeNumber inode) = 0;
  // kExists and kNotFound according to `mode`; kInvalid for a name that ends at the dot; kTooLarge
  // for a value above kMaxXattrValueBytes; kNoSpace above kMaxXattrBytes for all attributes of an
  // inode.
  virtual Result<void> SetXattr(InodeNumber inode, std::string_view name, std::string_view value,
                                XattrMode mode, const Caller& caller) = 0;
  // kNotFound.
  virtual Result<void> RemoveXattr(InodeNumber inode, std::string_view name) = 0;
  // Whether any inode has an extended attribute.
  virtual Result<bool> HasXattrs() const = 0;

  // --- contents (fs/file_content.cc) ---

  // Reads from `offset` into `out`; returns the number of bytes, fewer only at the end of the file.
  virtual Result<size_t> Read(InodeNumber inode, uint64_t offset, MutableBytes out) = 0;
  struct Written {
    uint64_t offset = 0;        // of the data in the file
    bool cleared_bits = false;  // a setuid or setgid bit was set, and is no longer
  };
  // Writes all of `data`; clears the setuid and setgid bits as Linux does. kTooLarge for an end
  // beyond kMaxContentBytes.
  virtual Result<Written> Write(InodeNumber inode, uint64_t offset, Bytes data,
                                const Caller& caller) = 0;
  // The same at the end of the file. `believed_end` is the caller's guess of the end; a right guess
  // is cheapest.
  virtual Result<Written> Append(InodeNumber inode, uint64_t believed_end, Bytes data,
                                 const Caller& caller) = 0;
  // kInvalid if it is not a symbolic link.
  virtual Result<std::string> ReadLink(InodeNumber inode) = 0;

  // --- space of contents (fs/file_space.cc) ---

  // kInvalid if it is not a regular file, or `length` is 0; kTooLarge. A large range is allocated
  // in pieces; if the space does not suffice, the size is unchanged. The same holds if
  // `is_interrupted`, called between the pieces, returns true: kConflict. `cleared_bits`, if not
  // null, receives whether setuid or setgid was cleared, even if the call fails.
  virtual Result<void> ChangeRange(InodeNumber inode, uint64_t offset, uint64_t length,
                                   RangeChange change, const Caller& caller,
                                   const std::function<bool()>& is_interrupted = {},
                                   bool* cleared_bits = nullptr) = 0;
  // The beginning of the next data, or the next hole, at or after `offset`; the end of the file
  // counts as a hole. kNotFound if there is none, and for an offset at or after the end.
  virtual Result<uint64_t> FindRange(InodeNumber inode, uint64_t offset, RangeKind kind) = 0;
  // Copies inside the store; returns the number of bytes: fewer than `length` at the end of `from`,
  // and for long ranges. kInvalid for overlapping ranges of one file. `cleared_bits` as above, for
  // `to`.
  virtual Result<uint64_t> CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to,
                                     uint64_t to_offset, uint64_t length, const Caller& caller,
                                     bool* cleared_bits = nullptr) = 0;

  // --- listings (fs/directory_listing.cc) ---

  // Returns the names after `offset` (0, or the next_offset of an earlier entry), as many as
  // `limit` allows; none at the end. Starts with "." and "..". An offset stays valid while other
  // names come and go. Entries with the same position in the store share their next_offset and are
  // returned in one page; if they alone exceed a page, those that do not fit are left out.
  // kNotDirectory.
  virtual Result<std::vector<DirectoryEntry>> ListDirectory(InodeNumber directory, uint64_t offset,
                                                            const PageLimit& limit) = 0;
  // The same with all attributes; adds a reference to each inode but those of "." and "..".
  virtual Result<std::vector<DirectoryEntry>> ListDirectoryPlus(InodeNumber directory,
                                                                uint64_t offset,
                                                                const PageLimit& limit) = 0;

  // --- many changes by path (fs/path_operations.cc) ---

  // Makes all changes, in order, or none. Each change sees the earlier ones. Returns the names that
  // changed: a kernel that has this file system mounted must be told of them. Errors are those of
  // the calls above, and kConflict for an unmet expectation; `failed`, if not null, receives the
  // index of the refused change, or `changes.size()` if no single change was at fault.
  virtual Result<std::vector<ChangedName>> ApplyChanges(std::span<const PathOperation> changes,
                                                        const Caller& caller,
                                                        size_t* failed = nullptr) = 0;

  // --- the whole (fs/store_file_system.cc) ---

  // Makes everything acknowledged before the call durable.
  virtual Result<void> Sync() = 0;
  virtual Result<SpaceReport> GetSpace() = 0;
  // The time used for timestamps.
  virtual Timespec Now() const = 0;
  // The path, from the root and without a leading slash, of the referenced inode with this name in
  // its directory; nothing if one of the two is not referenced. It may be outdated on return.
  virtual std::optional<std::string> PathOf(const ChangedName& name) const = 0;
  // Number of inodes referenced now, without the root.
  virtual size_t CountReferencedInodes() const = 0;
  // Grows whenever a referenced directory moves or is removed: while it does not change, the path
  // to a referenced directory does not change either.
  virtual uint64_t DirectoryMoves() const = 0;

 protected:
  FileSystem() = default;
};

}  // namespace kvfs::fs
