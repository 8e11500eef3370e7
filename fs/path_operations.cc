// Turns many changes by path into one batch of the store.
//
// Changes are resolved one after another. `names_` holds the state of each touched name after the
// changes so far; other names are looked up in the store. The namespace lock is held exclusively
// from the first lookup to the last relocation, so nothing changes in between. A new inode gets its
// number at once, reserved in the store: so the batch that creates a directory or file can also
// fill or link it.
//
// An inode with several names is stored once, in `shared_`, so that all its names show its changes.
// The times of directories are set once, at the end.
//
// A file that inherits access control lists is created before the batch, without a name, since the
// lists are stored under its number (fs/extended_attributes.cc). The batch gives it the name.
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "fs/access_list.h"
#include "fs/data_ranges.h"
#include "fs/names.h"
#include "fs/new_entry.h"
#include "fs/path_lookup.h"
#include "fs/path_names.h"
#include "fs/path_operation_rules.h"
#include "fs/set_id_bits.h"
#include "fs/xattrs.h"

namespace kvfs::fs {
namespace {

constexpr uint32_t kNewFileMode = S_IFREG | 0666;
constexpr uint32_t kNewDirectoryMode = S_IFDIR | 0777;

}  // namespace

class StoreFileSystem::ChangeResolver : private StoreFileSystem::PathLookup {
 public:
  ChangeResolver(StoreFileSystem& file_system, const Caller& caller)
      : PathLookup(file_system),
        caller_(caller),
        now_(fs_.Now()),
        change_(fs_.default_attributes_) {}

  Result<void> Add(const PathOperation& change) {
    using Kind = PathOperation::Kind;
    KVFS_TRY(CheckChange(change));
    switch (change.kind) {
      case Kind::kPut:
        return Put(change);
      case Kind::kAppend:
        return Append(change);
      case Kind::kDelete:
        return Remove(change, /*as_directory=*/false);
      case Kind::kRemoveDirectory:
        return Remove(change, /*as_directory=*/true);
      case Kind::kMove:
        return Move(change);
      case Kind::kLink:
        return Link(change);
      case Kind::kMakeDirectory:
      case Kind::kEnsureDirectory:
        return MakeDirectory(change);
      case Kind::kSetAttributes:
        return SetAttributes(change);
      case Kind::kExpect:
        return Expect(change);
    }
    return Fail(ErrorCode::kInvalid, "there is no such kind of change");
  }

  Result<std::vector<ChangedName>> Apply() {
    for (const auto& [number, directory] : directories_) {
      if (!directory.is_touched) continue;
      TouchDirectory(change_, directory.entry, directory.more_subdirectories, now_);
    }
    KVFS_TRY(change_.Apply(fs_.store_));
    for (const auto& [inode, key] : relocations_) fs_.inodes_.Relocate(inode, key);
    return std::move(changed_);
  }

 private:
  static Result<void> CheckRegular(const InodeInfo& inode) {
    if (inode.attributes.IsDirectory()) return Fail(ErrorCode::kIsDirectory);
    if (!inode.attributes.IsRegular()) return Fail(ErrorCode::kInvalid, "it is not a regular file");
    return {};
  }

  // --- noting ---

  void Touch(Directory& directory, int more_subdirectories) {
    directory.is_touched = true;
    directory.more_subdirectories += more_subdirectories;
  }
  enum class Effect { kContent, kRebinding };
  void Note(const Place& place, InodeNumber inode, Effect effect) {
    place.state->is_changed = true;
    changed_.push_back(
        {place.key.directory, std::string(place.key.name), inode, effect == Effect::kRebinding});
  }
  MetaEdit SetTimes() {
    return change_.Edit([this](Attributes& a) {
      DropPrivilegesOfWritten(a, caller_);
      a.mtime = a.ctime = now_;
    });
  }

  Attributes NewAttributes(const PathOperation& change, uint32_t mode,
                           const Directory& parent) const {
    Attributes attributes;
    if (change.attributes) {
      attributes = *change.attributes;
    } else {
      attributes.mode = mode;
      TakeOwnership(attributes, parent.attributes, caller_);
      attributes.atime = attributes.mtime = attributes.ctime = now_;
    }
    attributes.links = attributes.IsDirectory() ? 2 : 1;
    attributes.has_xattrs = change.xattrs && !change.xattrs->empty();
    return attributes;
  }

  // Creates an entry, with the content of the change, under a free name.
  Result<void> Create(const Place& place, const PathOperation& change, uint32_t mode) {
    Attributes attributes = NewAttributes(change, mode, *place.parent);
    XattrMap xattrs = change.xattrs.value_or(XattrMap());
    if (!change.attributes) KVFS_TRY(Inherit(*place.parent, attributes, xattrs));
    const std::string_view meta = Keep(EncodeAttributes(attributes));
    InodeInfo inode = {change.staged, attributes, change.data.size(), 0, 0};
    if (change.staged != kNoInode) {
      KVFS_ASSIGN(const Location* const staged, LocateStaged(change));
      fs_.namespace_lock_.AssertHeld();
      KVFS_ASSIGN(const InodeInfo content, fs_.Load(staged->key()));
      inode.size_bytes = content.size_bytes;
      change_.batch().Move(staged->key(), place.key, MetaOf(meta), Batch::IfPresent::kRefuse);
      relocations_.emplace_back(change.staged, place.key);
    } else {
      inode.number = fs_.store_.ReserveId(place.key.name);
      const bool has_holes = HasHoles(change);
      change_.batch().PutAs(place.key, inode.number, has_holes ? Bytes() : AsBytes(change.data),
                            meta);
      if (has_holes) WriteData(place.key, change);
    }
    Touch(*place.parent, attributes.IsDirectory() ? 1 : 0);
    Note(place, kNoInode, Effect::kRebinding);
    new_inodes_.insert(inode.number);
    place.state->found = Found{inode, {}, false};
    return xattrs.empty() ? Result<void>() : PutXattrs(inode, xattrs);
  }

  // Applies the directory's default list to a new child.
  Result<void> Inherit(const Directory& parent, Attributes& attributes, XattrMap& xattrs) {
    const bool had_xattrs = attributes.has_xattrs;
    const auto own = own_xattrs_.find(parent.number);
    XattrMap of_parent;
    if (own != own_xattrs_.end()) {
      of_parent = own->second;
    } else {
      const Location at = {parent.entry.directory, std::string(parent.entry.name), true};
      fs_.namespace_lock_.AssertHeld();
      KVFS_ASSIGN(const StoredXattrs stored,
                  fs_.LoadXattrs(at, {parent.number, parent.attributes, 0, 0, 0}));
      of_parent = stored.xattrs;
    }
    KVFS_ASSIGN(const XattrMap lists, InheritAccess(attributes, of_parent, caller_));
    xattrs.insert(lists.begin(), lists.end());
    attributes.has_xattrs |= had_xattrs;
    return {};
  }

  // --- contents ---

  static MetaEdit MetaOf(std::string_view bytes) {
    return [bytes](std::string& meta) { meta = bytes; };
  }
  Result<void> CheckContentMayChange(InodeNumber inode) const {
    if (!fs_.options_.kernel_holds_contents || new_inodes_.contains(inode)) return {};
    return Fail(ErrorCode::kUnsupported,
                "the store is mounted with -o writeback: only the kernel may change what files "
                "contain; write to the file in the mount, or unmount first");
  }
  Result<const Location*> LocateStaged(const PathOperation& change) {
    fs_.namespace_lock_.AssertHeld();
    KVFS_ASSIGN(Location at, fs_.Locate(change.staged));
    return &locations_.emplace_back(std::move(at));
  }

  static bool HasHoles(const PathOperation& change) {
    if (!change.is_sparse) return false;
    const std::vector<ByteRange> ranges = DataRangesOf(AsBytes(change.data));
    return ranges.size() != 1 || ranges[0].length != change.data.size();
  }
  // The content must be empty before.
  void WriteData(Key entry, const PathOperation& change) {
    const Bytes data = AsBytes(change.data);
    change_.batch().Resize(entry, data.size());
    for (const ByteRange& range : DataRangesOf(data)) {
      change_.batch().Write(entry, range.offset, data.subspan(range.offset, range.length));
    }
  }

  // Replaces the content of an existing entry by that of the change; returns its size.
  Result<uint64_t> Replace(Key entry, const PathOperation& change,
                           std::optional<std::string_view> meta) {
    if (change.staged != kNoInode) {
      KVFS_ASSIGN(const Location* const staged, LocateStaged(change));
      fs_.namespace_lock_.AssertHeld();
      KVFS_ASSIGN(const InodeInfo content, fs_.Load(staged->key()));
      change_.batch().TakeContent(entry, staged->key(), meta ? MetaOf(*meta) : MetaEdit());
      return content.size_bytes;
    }
    const bool has_holes = HasHoles(change);
    change_.batch().Put(entry, has_holes ? Bytes() : AsBytes(change.data), meta);
    if (has_holes) WriteData(entry, change);
    return change.data.size();
  }

  // --- extended attributes ---

  Key XattrsKey(InodeNumber inode) { return {kXattrDirectory, Keep(std::to_string(inode))}; }

  // The entry's meta must be flagged in the same batch.
  Result<void> PutXattrs(const InodeInfo& inode, const XattrMap& xattrs) {
    for (const auto& [name, value] : xattrs) KVFS_TRY(CheckXattrName(name));
    KVFS_TRY(CheckXattrs(xattrs));
    fs_.namespace_lock_.AssertHeld();
    const Location anywhere = {kRootDirectory, {}, false};  // that has a name
    KVFS_ASSIGN(const StoreFileSystem::StoredXattrs stored, fs_.LoadXattrs(anywhere, inode));
    fs_.AddXattrs(change_, anywhere, inode.number, stored, xattrs);
    const bool is_own = stored.version == Batch::kAbsent && own_xattrs_.contains(inode.number);
    if (is_own && xattrs.empty()) change_.batch().Erase(XattrsKey(inode.number));
    if (stored.version != Batch::kAbsent) return {};
    if (xattrs.empty()) {
      own_xattrs_.erase(inode.number);
    } else {
      own_xattrs_[inode.number] = xattrs;
    }
    return {};
  }
  Result<XattrMap> XattrsOf(const InodeInfo& inode) const {
    const auto own = own_xattrs_.find(inode.number);
    if (own != own_xattrs_.end()) return own->second;
    fs_.namespace_lock_.AssertHeld();
    const Location anywhere = {kRootDirectory, {}, false};  // that has a name
    KVFS_ASSIGN(StoredXattrs stored, fs_.LoadXattrs(anywhere, inode));
    return std::move(stored.xattrs);
  }
  // Applies a new mode to the access control list, if there is one that differs.
  Result<void> TakeModeIntoList(Key entry, InodeInfo& inode) {
    if (!inode.attributes.has_xattrs) return {};
    KVFS_ASSIGN(XattrMap xattrs, XattrsOf(inode));
    const auto found = xattrs.find(kAccessListXattr);
    if (found == xattrs.end()) return {};
    auto list = AccessList::Decode(found->second);
    const uint32_t mode = inode.attributes.mode;
    if (!list || list->ModeOf(mode) == mode) return {};
    list->TakeMode(mode);
    found->second = list->Encode();
    return ReplaceXattrs(entry, inode, xattrs);
  }
  // As PutXattrs, for an existing entry.
  Result<void> ReplaceXattrs(Key entry, InodeInfo& inode, const XattrMap& xattrs) {
    KVFS_TRY(PutXattrs(inode, xattrs));
    inode.attributes.has_xattrs = !xattrs.empty();
    change_.batch().EditMeta(
        entry, change_.Edit([has = !xattrs.empty()](Attributes& a) { a.has_xattrs = has; }));
    return {};
  }
  // Extended attributes created in this batch are dropped with their inode.
  void DropOwnXattrs(InodeNumber inode) {
    if (own_xattrs_.erase(inode) == 0) return;
    if (!fs_.inodes_.IsReferenced(inode)) return change_.batch().Erase(XattrsKey(inode));
    change_.batch().Move(XattrsKey(inode), {kTransientDirectory, Keep(UnnamedXattrName(inode))});
  }

  // Removes the name from its current inode.
  void Orphan(const Place& place) {
    Found& found = dropped_.emplace_back(*std::exchange(place.state->found, std::nullopt));
    const InodeNumber number = found.inode.number;
    const bool is_directory = found.IsDirectory();
    if (found.is_shared) {
      found.inode = shared_.at(number);
      found.at = {kSharedDirectory, SharedName(number), false};
    } else {
      found.at = {place.key.directory, std::string(place.key.name), is_directory};
    }
    fs_.namespace_lock_.AssertHeld();
    fs_.DropName(change_, place.key, found, now_);
    if (found.IsLastName()) {
      DropOwnXattrs(number);
      relocations_.emplace_back(number, Key{kTransientDirectory, Keep(TransientName(number))});
    } else {
      --shared_.at(number).attributes.links;
    }
    // It is empty, so it is not one of the levels on the current path.
    if (is_directory) directories_.erase(number);
    Touch(*place.parent, is_directory ? -1 : 0);
    Note(place, number, Effect::kRebinding);
  }

  Result<void> CheckRemovable(const InodeInfo& inode, bool as_directory) {
    if (!as_directory || !inode.attributes.IsDirectory()) {
      fs_.namespace_lock_.AssertHeld();
      return fs_.CheckRemovable(inode, as_directory);
    }
    for (const auto& [place, state] : names_) {
      if (place.first == inode.number && state.found) return Fail(ErrorCode::kNotEmpty);
    }
    bool is_empty = true;
    KVFS_TRY(fs_.store_.List(inode.number, kFirstPosition, [&](const ListedEntry& entry) {
      is_empty = names_.contains({inode.number, std::string(entry.name)});
      return is_empty;
    }));
    if (!is_empty) return Fail(ErrorCode::kNotEmpty);
    return {};
  }

  // Removes the file at the name, as tar(1) does: a directory only if it is empty.
  Result<void> GiveWay(const Place& place) {
    const InodeInfo& present = InodeOf(*place.state);
    const bool is_directory = present.attributes.IsDirectory();
    if (is_directory) KVFS_TRY(CheckRemovable(present, /*as_directory=*/true));
    Orphan(place);
    return {};
  }

  // Whether the existing file can get the content; otherwise it is replaced by a new one. The
  // kernel assumes that an inode's type, target and device never change.
  static bool CanTakeContent(const InodeInfo& present, const PathOperation& change, uint32_t type) {
    if (!present.attributes.IsRegular() || type != S_IFREG) return false;
    return !change.replaces || present.attributes.links < 2;
  }

  // Copies the attributes of a removed file to the change that creates its replacement.
  Result<PathOperation> WithAttributesOf(const InodeInfo& present,
                                         const PathOperation& change) const {
    PathOperation made = change;
    made.attributes = present.attributes;
    DropPrivilegesOfWritten(*made.attributes, caller_);
    made.attributes->mtime = made.attributes->ctime = now_;
    if (change.xattrs || !present.attributes.has_xattrs) return made;
    KVFS_ASSIGN(made.xattrs, XattrsOf(present));
    return made;
  }

  // --- the kinds ---

  Result<void> Put(const PathOperation& change) {
    KVFS_ASSIGN(const Place place, Find(change.path));
    const uint32_t type = change.attributes ? change.attributes->mode & S_IFMT : S_IFREG;
    if (place.state->found) {
      const InodeInfo present = InodeOf(*place.state);
      const bool must_be_regular = !change.attributes || present.attributes.IsDirectory();
      if (must_be_regular && !change.replaces) KVFS_TRY(CheckRegular(present));
      if (!CanTakeContent(present, change, type)) {
        KVFS_TRY(GiveWay(place));
        if (change.attributes || !present.attributes.IsRegular()) {
          return Create(place, change, kNewFileMode);
        }
        KVFS_ASSIGN(PathOperation made, WithAttributesOf(present, change));
        return Create(place, made_.emplace_back(std::move(made)), kNewFileMode);
      }
    }
    if (!place.state->found) return Create(place, change, kNewFileMode);
    InodeInfo& inode = InodeOf(*place.state);
    const Key entry = EntryOf(place);
    std::optional<std::string_view> meta;
    if (change.attributes) {
      Attributes attributes = NewAttributes(change, kNewFileMode, *place.parent);
      attributes.links = inode.attributes.links;
      attributes.has_xattrs = inode.attributes.has_xattrs;
      inode.attributes = attributes;
      meta = Keep(EncodeAttributes(attributes));
    }
    KVFS_TRY(CheckContentMayChange(inode.number));
    KVFS_ASSIGN(inode.size_bytes, Replace(entry, change, meta));
    if (!meta) change_.batch().EditMeta(entry, SetTimes());
    if (change.xattrs) {
      KVFS_TRY(ReplaceXattrs(entry, inode, *change.xattrs));
    } else if (change.attributes) {
      KVFS_TRY(TakeModeIntoList(entry, inode));
    }
    Note(place, inode.number, Effect::kContent);
    return {};
  }

  Result<void> Append(const PathOperation& change) {
    KVFS_ASSIGN(const Place place, Find(change.path));
    if (!place.state->found) return Put(change);
    InodeInfo& inode = InodeOf(*place.state);
    KVFS_TRY(CheckRegular(inode));
    if (change.data.empty()) return {};  // as write(2) does nothing then
    KVFS_TRY(CheckContentMayChange(inode.number));
    uint64_t& size = inode.size_bytes;
    if (change.data.size() > kMaxContentBytes - size) return Fail(ErrorCode::kTooLarge);
    change_.batch().Write(EntryOf(place), size, AsBytes(change.data), SetTimes());
    size += change.data.size();
    Note(place, inode.number, Effect::kContent);
    return {};
  }

  Result<void> Remove(const PathOperation& change, bool as_directory) {
    KVFS_ASSIGN(const Place place, Find(change.path));
    if (!place.state->found) return Fail(ErrorCode::kNotFound);
    KVFS_TRY(CheckRemovable(InodeOf(*place.state), as_directory));
    Orphan(place);
    return {};
  }

  Result<void> Move(const PathOperation& change) {
    KVFS_ASSIGN(const Place from, Find(change.path));
    if (!from.state->found) return Fail(ErrorCode::kNotFound);
    const bool is_shared = from.state->found->is_shared;
    const InodeInfo moved = InodeOf(*from.state);
    const bool is_directory = moved.attributes.IsDirectory();
    KVFS_ASSIGN(const Place to, Find(change.to, is_directory ? moved.number : kNoInode));
    if (from.key == to.key) return {};
    if (to.state->found) {
      // Two names of one file both stay.
      if (is_shared && to.state->found->inode.number == moved.number) return {};
      KVFS_TRY(CheckRemovable(InodeOf(*to.state), is_directory));
      Orphan(to);
    }
    MoveName(change_, from.key, to.key, is_shared ? std::optional(EntryOf(from)) : std::nullopt,
             now_);
    Touch(*from.parent, is_directory ? -1 : 0);
    Touch(*to.parent, is_directory ? 1 : 0);
    Note(from, moved.number, Effect::kRebinding);
    Note(to, moved.number, Effect::kRebinding);
    to.state->found = std::exchange(from.state->found, std::nullopt);
    if (!is_shared) relocations_.emplace_back(moved.number, to.key);
    if (is_directory) ForgetLevels();
    if (is_directory && directories_.contains(moved.number)) {
      directories_.at(moved.number).entry = to.key;
    }
    return {};
  }

  Result<void> Link(const PathOperation& change) {
    KVFS_ASSIGN(const Place from, Find(change.path));
    if (!from.state->found) return Fail(ErrorCode::kNotFound);
    if (from.state->found->IsDirectory()) return Fail(ErrorCode::kIsDirectory);
    KVFS_ASSIGN(const Place to, Find(change.to));
    const InodeNumber number = from.state->found->inode.number;
    if (to.state->found) {
      if (to.state->found->inode.number == number) return {};
      if (to.state->found->IsDirectory() && !change.replaces) {
        return Fail(ErrorCode::kIsDirectory);
      }
      KVFS_TRY(GiveWay(to));
    }
    if (InodeOf(*from.state).attributes.links >= kMaxLinks) return Fail(ErrorCode::kTooManyLinks);
    MakeShared(from);
    const InodeInfo& file = InodeOf(*from.state);
    PutLink(change_, to.key, file);
    to.state->found = Found{file, {}, true};
    Touch(*to.parent, 0);
    Note(from, number, Effect::kContent);
    Note(to, kNoInode, Effect::kRebinding);
    return {};
  }

  // Counts one more name of the file, and moves its entry to kSharedDirectory.
  void MakeShared(const Place& place) {
    Found& found = *place.state->found;
    const InodeNumber number = found.inode.number;
    const Location& at = locations_.emplace_back(
        found.is_shared ? Location{kSharedDirectory, SharedName(number), false}
                        : Location{place.key.directory, std::string(place.key.name), false});
    const Key shared = Share(change_, at, found.inode, now_);
    if (!found.is_shared) relocations_.emplace_back(number, shared);
    shared_.try_emplace(number, found.inode);
    found.is_shared = true;
    ++shared_.at(number).attributes.links;
  }

  Result<void> MakeDirectory(const PathOperation& change) {
    KVFS_ASSIGN(const Place place, Find(change.path));
    if (!place.state->found) return Create(place, change, kNewDirectoryMode);
    if (change.kind == PathOperation::Kind::kMakeDirectory) return Fail(ErrorCode::kExists);
    if (!place.state->found->IsDirectory() && change.replaces) {
      KVFS_TRY(GiveWay(place));
      return Create(place, change, kNewDirectoryMode);
    }
    if (!place.state->found->IsDirectory()) return Fail(ErrorCode::kNotDirectory);
    return change.attributes || change.xattrs ? SetAttributes(change) : Result<void>();
  }

  Result<void> SetAttributes(const PathOperation& change) {
    if (!change.attributes && !change.xattrs) {
      return Fail(ErrorCode::kInvalid, "there are no attributes to set");
    }
    if (SplitPath(change.path).empty()) return SetAttributesOfRoot(change);
    KVFS_ASSIGN(const Place place, Find(change.path));
    if (!place.state->found) return Fail(ErrorCode::kNotFound);
    InodeInfo& inode = InodeOf(*place.state);
    if (change.attributes && ((change.attributes->mode ^ inode.attributes.mode) & S_IFMT) != 0) {
      return Fail(ErrorCode::kInvalid, "it is of another type");
    }
    KVFS_TRY(Edit(EntryOf(place), inode, change));
    Note(place, inode.number, Effect::kContent);
    return {};
  }

  Result<void> SetAttributesOfRoot(const PathOperation& change) {
    KVFS_ASSIGN(const Directory* const root, EnterRoot());
    InodeInfo inode = {kRootInode, root->attributes, 0, 0, 0};
    KVFS_TRY(Edit(root->entry, inode, change));
    changed_.push_back({kRootInode, {}, kRootInode, false});
    return {};
  }

  Result<void> Edit(Key entry, InodeInfo& inode, const PathOperation& change) {
    if (change.attributes) {
      const Attributes& wanted = *change.attributes;
      change_.batch().EditMeta(entry,
                               change_.Edit([wanted](Attributes& a) { CopyChosen(wanted, a); }));
      CopyChosen(wanted, inode.attributes);
    }
    return change.xattrs ? ReplaceXattrs(entry, inode, *change.xattrs)
                         : TakeModeIntoList(entry, inode);
  }

  Result<void> Expect(const PathOperation& change) {
    KVFS_ASSIGN(const Place place, Find(change.path));
    if (place.state->is_changed) {
      return Fail(ErrorCode::kInvalid, "a condition must precede the changes of its key");
    }
    const bool is_there = place.state->found.has_value();
    if (change.version == PathOperation::kAbsent) {
      if (!is_there) return {};
      return Fail(ErrorCode::kConflict, "the key is there already");
    }
    if (!is_there) return Fail(ErrorCode::kConflict, "there is no such key");
    const uint64_t version = InodeOf(*place.state).version;
    if (version == change.version) return {};
    return Fail(ErrorCode::kConflict, "the key has the version " + std::to_string(version));
  }

  const Caller& caller_;
  const Timespec now_;
  AttributeBatch change_;
  std::deque<Found> dropped_;  // and where entries lie that go
  std::deque<Location> locations_;
  std::deque<PathOperation> made_;  // of those that were asked for, with borrowed contents
  std::map<InodeNumber, XattrMap> own_xattrs_;  // of inodes that have none but by this batch
  std::set<InodeNumber> new_inodes_;
  std::vector<std::pair<InodeNumber, Key>> relocations_;
  std::vector<ChangedName> changed_;
};

Result<std::vector<ChangedName>> StoreFileSystem::ApplyChanges(
    std::span<const PathOperation> changes, const Caller& caller, size_t* failed) {
  MutexLock lock(namespace_lock_);
  ChangeResolver resolver(*this, caller);
  if (failed != nullptr) *failed = changes.size();
  for (size_t i = 0; i < changes.size(); ++i) {
    auto added = resolver.Add(changes[i]);
    if (added) continue;
    if (failed != nullptr) *failed = i;
    return tl::unexpected(std::move(added).error());
  }
  return resolver.Apply();
}

}  // namespace kvfs::fs
