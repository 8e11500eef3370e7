// The first step of an opening: what the superblock says, and of a store that is salvaged, what can
// be found in its place; then both copies of everything in it are made sound again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/engine/identity_file.h"
#include "store/engine/opening.h"

namespace kvfs {

class SuperblockRecovery {
 public:
  // `opening` must outlive it; it gets the superblock's file, the identity and the checkpoint.
  explicit SuperblockRecovery(Opening* opening) : opening_(*opening) {}

  // Opens the file. kNotFound, in words: there is no store.
  Result<void> Open();
  // The identity and the newest checkpoint. kCorrupt, with the remedy, where they cannot be read;
  // a salvaging does without a checkpoint, but not without an identity.
  Result<void> Find();
  // Makes both copies of the identity, and both slots, hold what is opened.
  Result<void> Repair();

 private:
  EngineParts& parts() const { return *opening_.parts; }
  Result<void> FindIdentity();
  Result<void> ReadCopy();
  Result<void> RefuseUnknown(const Error& error) const;
  Result<void> RefuseDamaged(const Error& error) const;
  Result<void> FindCheckpoint();
  Result<void> DoWithoutCheckpoint(const std::string& why);
  Result<void> LeaveOldCheckpoint();
  Result<bool> Holds(uint64_t offset, Bytes sound) const;
  Result<void> WritePart(uint64_t offset, Bytes sound, const std::string& damaged);

  Opening& opening_;
  Result<std::unique_ptr<File>> superblock_;
  // Of a store that is salvaged: the superblock's copy, or why there is none.
  std::optional<IdentityCopy> copy_;
  std::string why_no_copy_;
};

}  // namespace kvfs
