// The names and directories that a list of path operations touches, as they are after the changes
// so far. A name that no change has touched is looked up in the store.
//
// The namespace lock is held exclusively as long as a lookup lives, so nothing else changes. (clang
// cannot follow that: the functions that go on to the file system assert it.)
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fs/store_file_system.h"

namespace kvfs::fs {

class StoreFileSystem::PathLookup {
 protected:
  static constexpr InodeNumber kNoInode = 0;

  struct Directory {
    InodeNumber number;
    Key entry;  // where its own entry lies now
    Attributes attributes;
    int more_subdirectories = 0;
    bool is_touched = false;
  };
  struct NameState {
    std::optional<Found> found;  // what the name leads to after the changes so far
    bool is_changed = false;     // by them
  };
  struct Place {
    Key key;
    NameState* state;
    Directory* parent;
  };
  explicit PathLookup(StoreFileSystem& file_system) : fs_(file_system) {}

  // Copies a name that the batch is to borrow.
  std::string_view Keep(std::string_view text);
  // The inode of a name that must exist.
  InodeInfo& InodeOf(NameState& state);
  // The key of the entry of the name's inode.
  Key EntryOf(const Place& place);
  Result<Directory*> EnterRoot();
  // Finds the place of the path's last name. `passing` must not be an inode on the way.
  Result<Place> Find(std::string_view path, InodeNumber passing = kNoInode);
  // Call it when names of directories have changed.
  void ForgetLevels();

  StoreFileSystem& fs_;
  std::map<std::pair<InodeNumber, std::string>, NameState> names_;
  std::unordered_map<InodeNumber, Directory> directories_;
  // Inodes with several names: each name shows the inode's changes.
  std::map<InodeNumber, InodeInfo> shared_;

 private:
  struct Level {
    size_t end;  // of the path down to here, with its slash
    Directory* directory;
  };

  Result<NameState*> Look(InodeNumber parent, std::string_view name, Key* key);
  Result<Directory*> Enter(InodeNumber number, Key entry, const Attributes& attributes);
  // Sets `levels_` to those of the directory at `path`. Levels shared with the previous path are
  // not looked up again, so that a tree of n levels takes n steps, and not n * n.
  Result<void> Descend(std::string_view path);
  static std::string_view WithoutFinalSlashes(std::string_view path);
  static Result<void> CheckPassable(const NameState& state, std::string_view name);

  std::deque<std::string> kept_;
  std::vector<Level> levels_;  // of the directory that was looked into last
  std::string at_path_;        // and its path
};

}  // namespace kvfs::fs
