// A third copy of what the superblock says, in a file of its own (docs/format.md): who the store
// is, without which not a page of it can be read, and its newest checkpoint. For a repair of a
// store whose superblock is lost.
//
// It is a help and no more: nothing but a repair relies on it, and what goes wrong with it leaves
// the store as one that lacks it, as those of older programs do. The identity is durable before the
// store is there, and a checkpoint, as in the superblock, before the pages of the one before it are
// used for something else.
// Should it be older all the same, a repair notices that by the pages.
//
// Threads: one at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <kvfs/env.h>
#include "store/format/superblock.h"

namespace kvfs {

inline std::string IdentityPath(const std::string& store) { return store + "/identity"; }
inline std::string NewIdentityPath(const std::string& store) { return store + "/identity.new"; }

struct IdentityCopy {
  format::Identity identity;
  std::optional<format::Checkpoint> checkpoint;  // none that is sound
};

// kNotFound if the file is not there, kCorrupt if it is damaged.
Result<IdentityCopy> ReadIdentityCopy(Env& env, const std::string& store);

class IdentityFile {
 public:
  // Makes the file anew, durably but for its name.
  static Result<void> Create(Env& env, const std::string& path, const format::Identity& identity,
                             const format::Checkpoint& checkpoint);

  // Of a store that is opened for writing; made, durably, where it is missing or says another
  // thing than the superblock. Whatever goes wrong is told to `log`.
  void Open(Env& env, const std::string& store, const format::Identity& identity,
            const format::Checkpoint& checkpoint,
            const std::function<void(const std::string&)>& log);
  // The superblock is to have this one, whose pages and log are durable.
  void Keep(const format::Checkpoint& checkpoint);
  void Sync();

  uint64_t DiskBytes() const { return file_ ? file_->AllocatedBytes().value_or(0) : 0; }
  uint64_t FileBytes() const { return file_ ? file_->SizeBytes().value_or(0) : 0; }

 private:
  Result<void> TryOpen(Env& env, const std::string& store, const format::Checkpoint& checkpoint,
                       const std::function<void(const std::string&)>& log);

  format::Identity identity_;
  std::unique_ptr<File> file_;  // null if there is none
};

}  // namespace kvfs
