// The first step of an opening: reads the superblock, or when salvaging the copy of a lost one, and
// then makes both copies of its content sound again.
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

  // Opens the file. kNotFound, with a message: there is no store.
  Result<void> Open();
  // Reads the identity and the newest checkpoint. kCorrupt, with the remedy, if they cannot be
  // read. Salvaging works without a checkpoint, but not without an identity.
  Result<void> Find();
  // Writes the opened state to both copies of the identity, and to both slots.
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
  // When salvaging: the superblock's copy, or why there is none.
  std::optional<IdentityCopy> copy_;
  std::string why_no_copy_;
};

}  // namespace kvfs
