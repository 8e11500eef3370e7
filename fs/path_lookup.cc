// Looks names up, level by level.
#include "fs/path_lookup.h"

#include <algorithm>

#include "fs/hard_link.h"
#include "fs/names.h"

namespace kvfs::fs {

std::string_view StoreFileSystem::PathLookup::Keep(std::string_view text) {
  return kept_.emplace_back(text);
}

Result<StoreFileSystem::PathLookup::NameState*> StoreFileSystem::PathLookup::Look(
    InodeNumber parent, std::string_view name, Key* key) {
  const auto known = names_.find({parent, std::string(name)});
  if (known != names_.end()) {
    *key = {parent, known->first.second};
    return &known->second;
  }
  KVFS_TRY(CheckName(name));
  fs_.namespace_lock_.AssertHeld();
  KVFS_ASSIGN(std::optional<Found> found, fs_.FindIfPresent({parent, name}));
  if (found && found->is_shared) shared_.try_emplace(found->inode.number, found->inode);
  const auto [at, inserted] =
      names_.emplace(std::pair(parent, std::string(name)), NameState{std::move(found), false});
  *key = {parent, at->first.second};
  return &at->second;
}

InodeInfo& StoreFileSystem::PathLookup::InodeOf(NameState& state) {
  InodeInfo& inode = state.found->inode;
  return state.found->is_shared ? shared_.at(inode.number) : inode;
}

Key StoreFileSystem::PathLookup::EntryOf(const Place& place) {
  if (!place.state->found->is_shared) return place.key;
  return {kSharedDirectory, Keep(SharedName(place.state->found->inode.number))};
}

Result<StoreFileSystem::PathLookup::Directory*> StoreFileSystem::PathLookup::Enter(
    InodeNumber number, Key entry, const Attributes& attributes) {
  const auto [at, inserted] =
      directories_.emplace(number, Directory{number, entry, attributes, 0, false});
  return &at->second;
}

Result<StoreFileSystem::PathLookup::Directory*> StoreFileSystem::PathLookup::EnterRoot() {
  const auto known = directories_.find(kRootInode);
  if (known != directories_.end()) return &known->second;
  fs_.namespace_lock_.AssertHeld();
  KVFS_ASSIGN(const Location root, fs_.Locate(kRootInode));
  const Key entry = {root.directory, Keep(root.name)};
  KVFS_ASSIGN(const InodeInfo inode, fs_.Load(entry));
  return Enter(kRootInode, entry, inode.attributes);
}

Result<StoreFileSystem::PathLookup::Place> StoreFileSystem::PathLookup::Find(std::string_view path,
                                                                             InodeNumber passing) {
  path = WithoutFinalSlashes(path);
  if (path.empty()) return Fail(ErrorCode::kIsDirectory, "it is the root");
  const size_t above = path.rfind('/') + 1;
  KVFS_TRY(Descend(path.substr(0, above)));
  for (const Level& level : levels_) {
    if (passing == kNoInode || level.directory->number != passing) continue;
    return Fail(ErrorCode::kInvalid, "a directory cannot be moved into itself");
  }
  Place place{{}, nullptr, nullptr};
  if (levels_.empty()) {
    KVFS_ASSIGN(place.parent, EnterRoot());
  } else {
    place.parent = levels_.back().directory;
  }
  KVFS_ASSIGN(place.state, Look(place.parent->number, path.substr(above), &place.key));
  return place;
}

Result<void> StoreFileSystem::PathLookup::Descend(std::string_view path) {
  const auto [differs, unused] =
      std::mismatch(path.begin(), path.end(), at_path_.begin(), at_path_.end());
  const auto common = static_cast<size_t>(differs - path.begin());
  while (!levels_.empty() && levels_.back().end > common) levels_.pop_back();
  size_t begin = levels_.empty() ? 0 : levels_.back().end;
  at_path_.resize(begin);
  KVFS_ASSIGN(Directory * directory, levels_.empty() ? EnterRoot() : levels_.back().directory);
  while (begin < path.size()) {
    const size_t end = path.find('/', begin) + 1;
    const std::string_view name = path.substr(begin, end - begin - 1);
    if (!name.empty()) {
      Key key;
      KVFS_ASSIGN(const NameState* const state, Look(directory->number, name, &key));
      KVFS_TRY(CheckPassable(*state, name));
      const InodeInfo& inode = state->found->inode;
      KVFS_ASSIGN(directory, Enter(inode.number, key, inode.attributes));
      levels_.push_back({end, directory});
    }
    at_path_ += path.substr(begin, end - begin);
    begin = end;
  }
  return {};
}

void StoreFileSystem::PathLookup::ForgetLevels() {
  levels_.clear();
  at_path_.clear();
}

std::string_view StoreFileSystem::PathLookup::WithoutFinalSlashes(std::string_view path) {
  return path.substr(0, path.find_last_not_of('/') + 1);
}

Result<void> StoreFileSystem::PathLookup::CheckPassable(const NameState& state,
                                                        std::string_view name) {
  if (!state.found) return Fail(ErrorCode::kNotFound);
  const InodeInfo& inode = state.found->inode;
  if (inode.attributes.IsSymbolicLink()) {
    return Fail(ErrorCode::kInvalid, "'" + std::string(name) + "' is a symbolic link");
  }
  if (!inode.attributes.IsDirectory()) return Fail(ErrorCode::kNotDirectory);
  return {};
}

}  // namespace kvfs::fs
