// All operations on a store of which a part was forged, with correct checksums: whatever it
// contains, nothing crashes, hangs or breaks a contract, and unreadable parts are reported as
// damage.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <kvfs/store.h>
#include "store/env/memory_env.h"

namespace kvfs {

class EveryUse {
 public:
  using Name = std::pair<DirectoryId, std::string>;

  // The names are looked up whether they are listed or not.
  EveryUse(std::string path, std::vector<Name> names)
      : path_(std::move(path)), names_(std::move(names)) {}

  // Opens, lists, reads, checks and dumps. Damage reported by a read is also found by the check.
  void Read(MemoryEnv& disk);
  // Repairs into a new store on the same disk, which must be sound.
  void Repair(MemoryEnv& disk);
  // Changes, erases, takes checkpoints and compacts; the last put is present after a reopening.
  void Change(MemoryEnv& disk);
  // Each of them on a copy.
  void All(MemoryEnv& disk);

  size_t openings() const { return openings_; }
  size_t refusals() const { return refusals_; }  // reads that were refused
  size_t unsound() const { return unsound_; }    // checks that found something

 private:
  std::unique_ptr<Store> Open(MemoryEnv& disk, bool read_only);
  std::set<Name> ListAll(const Reader& reader);
  void ReadEntry(const Reader& reader, const Name& name);
  void ChangeEntry(Store& store, const Name& name);
  void Dump(MemoryEnv& disk);
  template <typename T>
  void Note(const Result<T>& done, const char* what);

  const std::string path_;
  const std::vector<Name> names_;
  bool has_failed_ = false;  // damage was found, after which a store may refuse changes
  size_t openings_ = 0, refusals_ = 0, unsound_ = 0;
};

}  // namespace kvfs
