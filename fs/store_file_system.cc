// Opening, finding entries by inode, and calls for the whole file system. The calls on names,
// attributes, contents and listings are in separate files, named in the header.
#include "fs/store_file_system.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace kvfs::fs {
namespace {

constexpr Key kRootKey = {kAttributeDirectory, "root"};

Timespec SystemTime() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
  const auto rest = std::chrono::nanoseconds(since_1970 - seconds);
  return {seconds.count(), static_cast<uint32_t>(rest.count())};
}

FileSystemOptions WithClock(FileSystemOptions options) {
  if (!options.clock) options.clock = SystemTime;
  return options;
}

Attributes OwnedByDefault(const FileSystemOptions& options, uint32_t mode, Timespec time) {
  Attributes attributes;
  attributes.mode = mode;
  attributes.links = S_ISDIR(mode) ? 2 : 1;
  attributes.uid = options.default_uid;
  attributes.gid = options.default_gid;
  attributes.atime = attributes.mtime = attributes.ctime = time;
  return attributes;
}

Result<void> CreateRootIfAbsent(Store& store, const Attributes& attributes) {
  const auto present = store.Stat(kRootKey);
  if (present) return {};
  if (present.error().code != ErrorCode::kNotFound) return tl::unexpected(present.error());
  const std::string meta = EncodeAttributes(attributes);
  Batch batch;
  batch.Put(kRootKey, {}, meta, Batch::IfPresent::kRefuse);
  return store.Apply(batch);
}

// The store's hash of a fixed name: another store has another seed. Above 0, which the kernel uses
// for the root.
Result<uint32_t> GenerationOf(const Store& store) {
  Position position = 0;
  KVFS_TRY(store.List(kRootKey.directory, kFirstPosition, [&](const ListedEntry& entry) {
    if (entry.name == kRootKey.name) position = entry.position;
    return position == 0;
  }));
  return static_cast<uint32_t>(position) | 1;
}

}  // namespace

Result<std::unique_ptr<FileSystem>> FileSystem::Open(Store& store, FileSystemOptions options) {
  return StoreFileSystem::Open(store, std::move(options));
}

StoreFileSystem::StoreFileSystem(Store& store, FileSystemOptions options)
    : store_(store),
      options_(WithClock(std::move(options))),
      default_attributes_(OwnedByDefault(options_, S_IFREG | 0644, options_.default_time)),
      finder_(store, kRootDirectory, [this](std::string_view meta) { return KindOf(meta); }),
      opened_at_(store.GetStats().acknowledged_sequence) {}

Result<std::unique_ptr<StoreFileSystem>> StoreFileSystem::Open(Store& store,
                                                               FileSystemOptions options) {
  std::unique_ptr<StoreFileSystem> file_system(new StoreFileSystem(store, std::move(options)));
  const Attributes root = OwnedByDefault(file_system->options_, S_IFDIR | 0755, file_system->Now());
  auto made = CreateRootIfAbsent(store, root);
  // A read-only store is not changed; a virtual root is shown.
  if (!made && made.error().code != ErrorCode::kReadOnly) {
    return tl::unexpected(std::move(made).error());
  }
  if (!made) file_system->absent_root_ = root;
  KVFS_ASSIGN(file_system->generation_, GenerationOf(store));
  return file_system;
}

Result<Location> StoreFileSystem::Locate(InodeNumber inode) const {
  if (inode == kRootInode) return Location{kRootKey.directory, std::string(kRootKey.name), true};
  auto location = inodes_.Find(inode);
  if (!location) return Fail(ErrorCode::kStale);
  return *std::move(location);
}

Result<Location> StoreFileSystem::LocateParent(InodeNumber directory) const {
  KVFS_ASSIGN(Location location, Locate(directory));
  if (!location.is_directory) return Fail(ErrorCode::kNotDirectory);
  if (location.directory == kTransientDirectory) return Fail(ErrorCode::kNotFound);
  return location;
}

Result<InodeInfo> StoreFileSystem::Load(Key key) const {
  auto found = store_.Stat(key);
  const bool is_absent = !found && found.error().code == ErrorCode::kNotFound;
  if (is_absent && key == kRootKey && absent_root_) return InodeInfo{kRootInode, *absent_root_};
  KVFS_ASSIGN(const EntryInfo entry, std::move(found));
  KVFS_ASSIGN(const Attributes attributes, ReadMeta(entry.meta, default_attributes_));
  const InodeNumber number = key == kRootKey ? kRootInode : entry.id;
  return InodeInfo{number, attributes, entry.size_bytes, entry.allocated_bytes, entry.version};
}

Result<StoreFileSystem::Found> StoreFileSystem::Find(Key name) const {
  KVFS_ASSIGN(const EntryInfo entry, store_.Stat(name));
  if (IsHardLink(entry.meta)) return Follow(entry.meta);
  KVFS_ASSIGN(const Attributes attributes, ReadMeta(entry.meta, default_attributes_));
  return Found{{entry.id, attributes, entry.size_bytes, entry.allocated_bytes, entry.version},
               {name.directory, std::string(name.name), attributes.IsDirectory()},
               /*is_shared=*/false};
}

Result<StoreFileSystem::Found> StoreFileSystem::Follow(std::string_view meta) const {
  KVFS_ASSIGN(const HardLink link, DecodeHardLink(meta));
  Location at = {kSharedDirectory, SharedName(link.inode), /*is_directory=*/false};
  const auto inode = Load(at.key());
  if (!inode && inode.error().code != ErrorCode::kNotFound) return tl::unexpected(inode.error());
  if (!inode || inode->number != link.inode || inode->attributes.IsDirectory()) {
    return Fail(ErrorCode::kCorrupt, "a name refers to a file that is not there");
  }
  return Found{*inode, std::move(at), /*is_shared=*/true};
}

Result<std::optional<StoreFileSystem::Found>> StoreFileSystem::FindIfPresent(Key name) const {
  auto found = Find(name);
  if (found) return *std::move(found);
  if (found.error().code == ErrorCode::kNotFound) return std::optional<Found>();
  return tl::unexpected(std::move(found).error());
}

Result<InodeInfo> StoreFileSystem::FindAndReference(Key name) {
  KVFS_ASSIGN(const Found found, Find(name));
  inodes_.AddReference(found.inode.number, found.at.key(), found.IsDirectory());
  return found.inode;
}

// The parents of a referenced inode are referenced, too: the kernel keeps the names on its path.
std::optional<std::string> StoreFileSystem::PathOf(const ChangedName& name) const {
  constexpr size_t kLongestPath = 4096;  // that a system call takes
  SharedLock lock(namespace_lock_);
  if (!inodes_.IsReferenced(name.inode)) return std::nullopt;
  std::string path = name.name;
  for (InodeNumber directory = name.parent; directory != kRootInode;) {
    const auto at = inodes_.Find(directory);
    if (!at || path.size() > kLongestPath) return std::nullopt;
    path.insert(0, at->name + "/");
    directory = at->directory;
  }
  return path;
}

Result<void> StoreFileSystem::Sync() { return store_.Sync(); }

Result<SpaceReport> StoreFileSystem::GetSpace() {
  KVFS_ASSIGN(const DiskSpace disk, store_.GetDiskSpace());
  const StoreStats stats = store_.GetStats();
  // Recently deleted data is free after the next checkpoint, which a full disk triggers.
  const uint64_t dead = stats.snapshots == 0 ? stats.dead_bytes : 0;
  const uint64_t free = disk.available_bytes + stats.reusable_bytes + dead;
  return SpaceReport{disk.total_bytes, free - std::min(free, stats.reserved_bytes), stats.entries};
}

}  // namespace kvfs::fs
