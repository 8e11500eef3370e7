// The first step of an opening: reads the superblock, or, when salvaging, the copy of a lost one;
// then repairs the superblock's damaged parts.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/engine/identity_file.h"
#include "store/engine/opening.h"

namespace kvfs {

class SuperblockRecovery {
 public:
  // `opening` must outlive it, and receives the superblock's file, the identity and the checkpoint.
  explicit SuperblockRecovery(Opening* opening) : opening_(*opening) {}

  // Opens the superblock's file. kNotFound, with a message, if there is no store.
  Result<void> Open();
  // Reads the identity and the newest checkpoint. kCorrupt, with the remedy in its message, if they
  // cannot be read. Salvaging needs the identity, but no checkpoint.
  Result<void> Find();
  // Writes the identity that was read to both of its places in the superblock, where they differ,
  // and the checkpoint to both slots. To be called only if the store is opened for writing.
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
  // When salvaging: the copy of the superblock's contents, or the reason why there is none.
  std::optional<IdentityCopy> copy_;
  std::string why_no_copy_;
};

}  // namespace kvfs
