// Everything that can be done with a store of which somebody has made up a part, with right
// checksums: whatever it says, nothing crashes, hangs or breaks a contract, and what cannot be read
// is called damage.
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

  // The names are asked for whether they are listed or not.
  EveryUse(std::string path, std::vector<Name> names)
      : path_(std::move(path)), names_(std::move(names)) {}

  // Opens, lists, reads, checks and dumps. What a read calls damaged a check finds, too.
  void Read(MemoryEnv& disk);
  // Into a new store on the same disk, which must be sound.
  void Repair(MemoryEnv& disk);
  // Changes, erases, checkpoints and compacts; what is put last is there after a reopening.
  void Change(MemoryEnv& disk);
  // Each of them on a copy.
  void All(MemoryEnv& disk);

  size_t openings() const { return openings_; }
  size_t refusals() const { return refusals_; }  // of what is read
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
  bool has_failed_ = false;  // by damage, after which a store may take no more changes
  size_t openings_ = 0, refusals_ = 0, unsound_ = 0;
};

}  // namespace kvfs
