// A third copy of the superblock's data, in a separate file (docs/format.md): the store's identity,
// without which no page can be read, and its newest checkpoint. For the repair of a store whose
// superblock is lost.
//
// It is optional: only a repair relies on it, and after any failure with it the store is like one
// without it, as older versions create. The identity is durable before the store exists; a
// checkpoint is durable, as in the superblock, before the pages of the previous one are reused. If
// the copy is outdated nevertheless, a repair detects that from the pages.
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
  std::optional<format::Checkpoint> checkpoint;  // none if it is not sound
};

// kNotFound if there is no such file, kCorrupt if it is damaged.
Result<IdentityCopy> ReadIdentityCopy(Env& env, const std::string& store);

class IdentityFile {
 public:
  // Creates or replaces the file, and syncs its content, but not its name.
  static Result<void> Create(Env& env, const std::string& path, const format::Identity& identity,
                             const format::Checkpoint& checkpoint);

  // For a store opened for writing: opens the file, and creates it anew, durably, if it is missing
  // or differs from the superblock. Failures only go to `log`.
  void Open(Env& env, const std::string& store, const format::Identity& identity,
            const format::Checkpoint& checkpoint,
            const std::function<void(const std::string&)>& log);
  // Writes this checkpoint, whose pages and log are durable, before the superblock gets it.
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
