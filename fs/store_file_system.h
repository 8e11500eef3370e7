// The implementation of FileSystem: the class shared by its parts, which are in separate .cc files.
//
// Each call is one batch of the store. `namespace_lock_` is exclusive for calls that change an
// entry's key, or its number of names (Link, Unlink, RemoveDirectory, Rename, ApplyChanges), shared
// for all others, and not held by Sync. The lock is fair (FairSharedMutex), so while a long call
// holds it and another waits for it, all later calls wait too: calls that process a whole content
// take the lock for a piece at a time. Attributes are changed by MetaEdits, under the store's own
// locks.
#pragma once

#include <atomic>

#include "fs/attribute_batch.h"
#include "fs/file_system.h"
#include "fs/hard_link.h"
#include "fs/inode_finder.h"
#include "fs/inode_table.h"
#include "store/base/fair_shared_mutex.h"
#include "store/base/mutex.h"

namespace kvfs::fs {

class StoreFileSystem final : public FileSystem {
 public:
  static Result<std::unique_ptr<StoreFileSystem>> Open(Store& store, FileSystemOptions options);

  Result<InodeInfo> Lookup(InodeNumber parent, std::string_view name) override;
  void Forget(InodeNumber inode, uint64_t count) override;
  Result<InodeInfo> CreateFile(InodeNumber parent, std::string_view name, uint32_t mode,
                               uint64_t device, const Caller& caller) override;
  Result<InodeInfo> MakeDirectory(InodeNumber parent, std::string_view name, uint32_t permissions,
                                  const Caller& caller) override;
  Result<InodeInfo> MakeSymbolicLink(InodeNumber parent, std::string_view name,
                                     std::string_view target, const Caller& caller) override;
  Result<InodeInfo> Link(InodeNumber inode, InodeNumber parent, std::string_view name) override;
  Result<void> Unlink(InodeNumber parent, std::string_view name) override;
  Result<void> RemoveDirectory(InodeNumber parent, std::string_view name) override;
  Result<void> Rename(InodeNumber parent, std::string_view name, InodeNumber new_parent,
                      std::string_view new_name, RenameMode mode) override;
  Result<InodeInfo> CreateUnnamedFile(InodeNumber directory, uint32_t permissions,
                                      const Caller& caller) override;
  Result<InodeInfo> CreateStagedFile(InodeNumber receiver) override;
  Result<InodeInfo> LookupNumber(InodeNumber inode) override;
  Result<InodeInfo> LookupParent(InodeNumber directory) override;
  uint32_t Generation() const override { return generation_; }
  Result<InodeInfo> GetAttributes(InodeNumber inode) override;
  Result<InodeInfo> SetAttributes(InodeNumber inode, const AttributeChange& change,
                                  const Caller& caller) override;
  Result<std::string> GetXattr(InodeNumber inode, std::string_view name) override;
  Result<std::vector<std::string>> ListXattrs(InodeNumber inode) override;
  Result<void> SetXattr(InodeNumber inode, std::string_view name, std::string_view value,
                        XattrMode mode, const Caller& caller) override;
  Result<void> RemoveXattr(InodeNumber inode, std::string_view name) override;
  Result<bool> HasXattrs() const override;
  Result<size_t> Read(InodeNumber inode, uint64_t offset, MutableBytes out) override;
  Result<Written> Write(InodeNumber inode, uint64_t offset, Bytes data,
                        const Caller& caller) override;
  Result<Written> Append(InodeNumber inode, uint64_t believed_end, Bytes data,
                         const Caller& caller) override;
  Result<std::string> ReadLink(InodeNumber inode) override;
  Result<void> ChangeRange(InodeNumber inode, uint64_t offset, uint64_t length, RangeChange change,
                           const Caller& caller, const std::function<bool()>& is_interrupted,
                           bool* cleared_bits) override;
  Result<uint64_t> FindRange(InodeNumber inode, uint64_t offset, RangeKind kind) override;
  Result<uint64_t> CopyRange(InodeNumber from, uint64_t from_offset, InodeNumber to,
                             uint64_t to_offset, uint64_t length, const Caller& caller,
                             bool* cleared_bits) override;
  Result<std::vector<DirectoryEntry>> ListDirectory(InodeNumber directory, uint64_t offset,
                                                    const PageLimit& limit) override;
  Result<std::vector<DirectoryEntry>> ListDirectoryPlus(InodeNumber directory, uint64_t offset,
                                                        const PageLimit& limit) override;
  Result<std::vector<ChangedName>> ApplyChanges(std::span<const PathOperation> changes,
                                                const Caller& caller, size_t* failed) override;
  Result<void> Sync() override;
  Result<SpaceReport> GetSpace() override;
  Timespec Now() const override { return options_.clock(); }
  std::optional<std::string> PathOf(const ChangedName& name) const override;
  size_t CountReferencedInodes() const override { return inodes_.Count(); }
  uint64_t DirectoryMoves() const override { return inodes_.directory_moves(); }

 private:
  class PathLookup;
  class ChangeResolver;
  StoreFileSystem(Store& store, FileSystemOptions options);

  // The results of the following are valid as long as the namespace lock is held, shared or
  // exclusive.

  // The location of the inode's entry. kStale.
  Result<Location> Locate(InodeNumber inode) const KVFS_REQUIRES_SHARED(namespace_lock_);
  // The same for a directory whose names are to change. kNotDirectory; kNotFound if it was removed.
  Result<Location> LocateParent(InodeNumber directory) const KVFS_REQUIRES_SHARED(namespace_lock_);
  // The same for a range of a content. kIsDirectory; kTooLarge.
  Result<Location> LocateContent(InodeNumber inode, uint64_t offset, uint64_t length) const
      KVFS_REQUIRES_SHARED(namespace_lock_);
  // Reads the inode from its own entry, at `key`. kNotFound.
  Result<InodeInfo> Load(Key key) const KVFS_REQUIRES_SHARED(namespace_lock_);

  // The inode of a name. Its own entry has the name, or the name is a hard link to it.
  struct Found {
    InodeInfo inode;
    Location at;
    bool is_shared = false;  // the name is a hard link

    bool IsDirectory() const { return inode.attributes.IsDirectory(); }
    bool IsLastName() const { return !is_shared || inode.attributes.links <= 1; }
  };
  // kNotFound.
  Result<Found> Find(Key name) const KVFS_REQUIRES_SHARED(namespace_lock_);
  Result<Found> Follow(std::string_view hard_link) const KVFS_REQUIRES_SHARED(namespace_lock_);
  // The same, but nothing if there is no such name.
  Result<std::optional<Found>> FindIfPresent(Key name) const KVFS_REQUIRES_SHARED(namespace_lock_);
  Result<InodeInfo> FindAndReference(Key name) KVFS_REQUIRES_SHARED(namespace_lock_);

  InodeFinder::Kind KindOf(std::string_view meta) const;
  Result<InodeInfo> ReferenceKnown(InodeNumber inode);
  Result<InodeInfo> ReferenceAt(const InodeFinder::Place& place);

  Result<InodeInfo> CreateEntry(InodeNumber parent, std::string_view name, Attributes attributes,
                                Bytes content, const Caller& caller);
  void PutWithXattrs(AttributeBatch& change, Key key, Bytes content, std::string_view meta,
                     const XattrMap& xattrs);
  Result<void> RemoveName(InodeNumber parent, std::string_view name, bool directory);
  // kIsDirectory, kNotDirectory or kNotEmpty, as unlink, or with `as_directory` rmdir, would
  // return.
  Result<void> CheckRemovable(const InodeInfo& inode, bool as_directory) const
      KVFS_REQUIRES_LOCK(namespace_lock_);

  // Add to `change`: the first name of a file without one; another name of a file with one (returns
  // the new key of its entry).
  void GiveFirstName(AttributeBatch& change, const Location& at, const InodeInfo& file, Key name,
                     Timespec now) const;
  static Key Share(AttributeBatch& change, const Location& at, const InodeInfo& file, Timespec now);

  // A name in a rename, and the key of its directory's own entry.
  struct RenamePlace {
    Key entry;
    Key parent;
  };
  Result<void> MoveEntry(const RenamePlace& from, const Found& moved, const RenamePlace& to,
                         const std::optional<Found>& replaced) KVFS_REQUIRES_LOCK(namespace_lock_);
  Result<void> ExchangeEntries(const RenamePlace& from, const Found& moved, const RenamePlace& to,
                               const Found& other) KVFS_REQUIRES_LOCK(namespace_lock_);
  // Add to `change`: a new name of an entry, or of a hard link to the entry at `shared`; a name as
  // a hard link to a file.
  static void MoveName(AttributeBatch& change, Key from, Key to, const std::optional<Key>& shared,
                       Timespec now);
  static void PutLink(AttributeBatch& change, Key name, const InodeInfo& file);
  static void TouchParents(AttributeBatch& change, const RenamePlace& from, int more_in_from,
                           const RenamePlace& to, int more_in_to, Timespec now);

  // Add to `change`: the loss of a name (the inode's last one erases it, or moves it to
  // kTransientDirectory if it is referenced); a change of names in a directory.
  void DropName(AttributeBatch& change, Key name, const Found& found, Timespec now) const
      KVFS_REQUIRES_LOCK(namespace_lock_);
  void Orphan(AttributeBatch& change, const Found& found, Timespec now) const
      KVFS_REQUIRES_LOCK(namespace_lock_);
  static void TouchDirectory(AttributeBatch& change, Key directory, int more_subdirectories,
                             Timespec now);
  // After a DropName has been applied: notes the inode's new location.
  void NoteDrop(const Found& found) KVFS_REQUIRES_LOCK(namespace_lock_);
  static std::string TransientName(InodeNumber inode);

  // For a change of content: sets the times, and clears the bits that an ordinary user's change
  // clears. `clears_bits`, if not null, receives whether any was set, once the batch is applied.
  MetaEdit Touch(AttributeBatch& change, const Caller& caller, bool* clears_bits = nullptr) const;
  // kNoSpace if the disk obviously has no room for `bytes` more bytes of the file.
  Result<void> CheckRoom(const InodeInfo& file, uint64_t bytes);
  // Does the preliminary parts of a large Resize or Punch.
  Result<void> CutInParts(InodeNumber inode, const std::function<void(Batch&, Key)>& cut);
  Result<std::string> GetChecksum(InodeNumber inode);
  Result<void> AllocateInPieces(InodeNumber inode, uint64_t offset, uint64_t end,
                                const std::function<bool()>& is_interrupted);

  // Extended attributes (fs/extended_attributes.cc): the location of their entry, for the inode at
  // `at`; whether there are any; all of them.
  static Location XattrsOf(const Location& at, InodeNumber inode);
  static std::string UnnamedXattrName(InodeNumber inode);
  bool HasStoredXattrs(const InodeInfo& inode, Key key) const;
  struct StoredXattrs {
    XattrMap xattrs;
    uint64_t version = Batch::kAbsent;  // of their entry
  };
  Result<StoredXattrs> LoadXattrs(const Location& at, const InodeInfo& inode) const
      KVFS_REQUIRES_SHARED(namespace_lock_);
  // Adds to `change` the replacement of `before` by `after`, provided that they are still `before`.
  void AddXattrs(AttributeBatch& change, const Location& at, InodeNumber inode,
                 const StoredXattrs& before, const XattrMap& after) const;
  // The edit may change the inode's mode as well.
  using XattrEdit = std::function<Result<void>(InodeInfo& inode, XattrMap& xattrs)>;
  Result<void> ChangeXattrs(InodeNumber inode, const XattrEdit& edit);

  // Access control lists (fs/access_control.cc). For a new list among the inode's xattrs: sets the
  // mode accordingly. kInvalid, kPermission.
  static Result<void> TakeAccessList(InodeInfo& inode, XattrMap& xattrs, const Caller& caller);
  static Result<void> CheckDefaultList(const InodeInfo& inode, std::string_view value);
  // Adds to `change` the effect of a change of mode on the inode's list.
  Result<void> AddModeToList(AttributeBatch& change, const Location& at, const InodeInfo& inode,
                             uint32_t permissions) const KVFS_REQUIRES_SHARED(namespace_lock_);
  // Returns the lists of a new inode, and sets its mode by its parent's default list, or else by
  // the umask.
  static Result<XattrMap> InheritAccess(Attributes& child, const XattrMap& of_parent,
                                        const Caller& caller);

  // Appends at `end`. kConflict if the file does not end there.
  Result<Written> AppendAt(const Location& at, uint64_t end, Bytes data, const Caller& caller)
      KVFS_REQUIRES_SHARED(namespace_lock_);

  Result<std::vector<DirectoryEntry>> ListPage(InodeNumber directory, uint64_t offset,
                                               const PageLimit& limit) const
      KVFS_REQUIRES_SHARED(namespace_lock_);
  // Number and type of the name's inode.
  InodeInfo InodeOf(const ListedEntry& entry) const;
  std::string NewUnnamed();

  Store& store_;
  const FileSystemOptions options_;
  const Attributes default_attributes_;    // of entries whose meta is empty
  std::optional<Attributes> absent_root_;  // shown if a read-only store has no root
  InodeTable inodes_;
  InodeFinder finder_;
  uint32_t generation_ = 0;
  mutable FairSharedMutex namespace_lock_;
  const uint64_t opened_at_;                // the sequence of the newest change
  std::atomic<uint64_t> unnamed_files_{0};  // since then, for unique names of their entries
};

}  // namespace kvfs::fs
