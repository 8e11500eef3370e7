// A POSIX file system over a Store, without a kernel: inodes and names in, Result<T> out.
//
// A file is one entry of the store. Its inode number is the entry's id, given at creation, kept
// across renames and remounts, never used again. A directory's children lie in the space whose
// number is the directory's inode number. Attributes are the entry's meta (fs/attributes.h),
// contents its content; a symbolic link's content is its target. The root directory is inode 1,
// and its attributes lie in an entry of its own, {kAttributeSpace, "root"}.
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
// Locks. `namespace_lock_` is exclusive for calls that change where an entry lies (Unlink,
// RemoveDirectory, Rename), shared for all others, and not held by Sync. Attributes are changed by
// MetaEdits, under the store's own locks. Every method is safe from many threads.
//
// The mode of a new file comes with its creator's umask already applied.
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
#include <string>
#include <string_view>
#include <vector>

#include "fs/attribute_batch.h"
#include "fs/attributes.h"
#include "fs/inode_info.h"
#include "fs/inode_table.h"
#include "fs/listing_page.h"
#include "fs/ownership.h"
#include "store/store.h"

namespace kvfs::fs {

inline constexpr InodeNumber kRootInode = kRootSpace;
// Space of attributes that belong to no name: of the root directory.
inline constexpr Space kAttributeSpace = 0;

// What SetAttributes shall change.
struct AttributeChange {
  std::optional<uint32_t> permissions = {};  // the lower 12 bits of the mode
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  std::optional<uint64_t> size_bytes = {};
  std::optional<Timespec> atime = {};
  std::optional<Timespec> mtime = {};
};

enum class RenameMode { kReplace, kNoReplace, kExchange };

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
};

class FileSystem {
 public:
  // Opens the file system in `store`, which must outlive it, and creates the root directory where
  // the store has none yet.
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

  // Takes a name away from what is not a directory. kNotFound; kIsDirectory.
  Result<void> Unlink(InodeNumber parent, std::string_view name);
  // kNotFound; kNotDirectory; kNotEmpty.
  Result<void> RemoveDirectory(InodeNumber parent, std::string_view name);

  // Gives an entry another name. kReplace replaces what has the new name, which must be of the
  // same kind (kIsDirectory, kNotDirectory) and, if a directory, empty (kNotEmpty). kNoReplace
  // fails with kExists instead. kExchange needs both names and swaps them. kNotFound.
  Result<void> Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                      std::string_view new_name, RenameMode mode);

  // Creates a regular file without a name, and adds a reference to it; it lives as an unlinked one.
  Result<InodeInfo> CreateUnnamedFile(uint32_t permissions, const Caller& caller);
  // Gives a file of CreateUnnamedFile its name. A regular file that has the name is replaced; the
  // new one takes over its mode and owner. kIsDirectory; kInvalid if the name is something else,
  // or if the file has a name.
  Result<void> NameFile(InodeNumber file, InodeNumber parent, std::string_view name);

  // --- attributes (fs/inode_attributes.cc) ---

  Result<InodeInfo> GetAttributes(InodeNumber inode);
  // Makes all changes at once. Changing the owner or the size clears the setuid and setgid bits as
  // Linux does, unless the caller is root and changes the size only. kIsDirectory or kInvalid for
  // the size of what is not a regular file; kTooLarge.
  Result<InodeInfo> SetAttributes(InodeNumber inode, const AttributeChange& change,
                                  const Caller& caller);

  // --- contents (fs/file_content.cc) ---

  // Fills `out` from `offset`; returns the number of bytes, fewer only at the end of the file.
  Result<size_t> Read(InodeNumber inode, uint64_t offset, MutableBytes out);
  // Writes all of `data`; clears the setuid and setgid bits unless the caller is root. kTooLarge
  // for an end beyond kMaxContentBytes.
  Result<void> Write(InodeNumber inode, uint64_t offset, Bytes data, const Caller& caller);
  // kInvalid for what is not a symbolic link.
  Result<std::string> ReadLink(InodeNumber inode);

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

  // --- the whole (fs/file_system.cc) ---

  // Makes everything acknowledged before the call durable.
  Result<void> Sync();
  Result<SpaceReport> GetSpace();
  // The time that changes are stamped with.
  Timespec Now() const { return options_.clock(); }
  // Inodes that are referenced now, without the root.
  size_t CountReferencedInodes() const { return inodes_.Count(); }

 private:
  FileSystem(Store& store, FileSystemOptions options);

  // What the following return is true as long as the namespace lock is held, shared or not.

  // Where the inode's entry lies. kStale.
  Result<Location> Locate(InodeNumber inode) const;
  // The same for a directory in which names change. kNotDirectory; kNotFound if it was removed.
  Result<Location> LocateParent(InodeNumber directory) const;
  // What the entry at `key` says of its inode. kNotFound.
  Result<InodeInfo> Load(Key key) const;
  // The same, but nothing where there is no entry.
  Result<std::optional<InodeInfo>> LoadIfPresent(Key key) const;
  Result<InodeInfo> LoadAndReference(Key key);

  Result<InodeInfo> CreateEntry(InodeNumber parent, std::string_view name, Attributes attributes,
                                Bytes content, const Caller& caller);
  Result<void> RemoveName(InodeNumber parent, std::string_view name, bool directory);
  // kIsDirectory, kNotDirectory or kNotEmpty where unlink, or else rmdir, would say so.
  Result<void> CheckRemovable(const InodeInfo& inode, bool as_directory) const;

  // A name that takes part in a rename, and the key of its directory's own entry.
  struct RenamePlace {
    Key entry;
    Key parent;
  };
  Result<void> MoveEntry(const RenamePlace& from, const InodeInfo& moved, const RenamePlace& to,
                         const std::optional<InodeInfo>& replaced);
  Result<void> ExchangeEntries(const RenamePlace& from, const InodeInfo& moved,
                               const RenamePlace& to, const InodeInfo& other);
  static void TouchParents(AttributeBatch& change, const RenamePlace& from, int more_in_from,
                           const RenamePlace& to, int more_in_to, Timespec now);
  static Result<void> CheckNameable(const Location& file, const std::optional<InodeInfo>& replaced);

  // Add to `change`: that an inode loses its only name, and goes to `transient_name` (which must
  // outlive the change) if it is referenced; that names in a directory change.
  void Retire(AttributeBatch& change, Key key, InodeNumber inode, std::string_view transient_name,
              Timespec now) const;
  static void TouchDirectory(AttributeBatch& change, Key directory, int more_subdirectories,
                             Timespec now);
  static std::string TransientName(InodeNumber inode);

  Result<std::vector<DirectoryEntry>> ListPage(InodeNumber directory, uint64_t offset,
                                               const PageLimit& limit) const;

  Store& store_;
  const FileSystemOptions options_;
  const Attributes default_attributes_;  // of entries whose meta is empty
  InodeTable inodes_;
  mutable std::shared_mutex namespace_lock_;
  std::atomic<uint64_t> unnamed_files_{0};  // so far, to tell their entries apart
};

}  // namespace kvfs::fs
