// Reads the superblock, or its copy if the superblock is damaged.
#include "store/engine/superblock_recovery.h"

#include <algorithm>
#include <vector>

#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"
#include "store/engine/tree_salvage.h"

namespace kvfs {

Result<void> SuperblockRecovery::Open() {
  superblock_ = opening_.salvages
                    ? parts().env->OpenFile(SuperblockPath(parts().path), opening_.access)
                    : OpenSuperblock(*parts().env, parts().path, opening_.access);
  const bool is_lost = !superblock_ && Opening::IsDamage(superblock_.error());
  if (superblock_ || (opening_.salvages && is_lost)) return {};
  return tl::unexpected(superblock_.error());
}

Result<void> SuperblockRecovery::Find() {
  KVFS_TRY(FindIdentity());
  KVFS_TRY(FindCheckpoint());
  opening_.closed = opening_.checkpoint.last_segment == format::kNoSegment;
  return {};
}

// Reads the identity from the superblock or, when salvaging, from the copy if that fails.
Result<void> SuperblockRecovery::FindIdentity() {
  Result<format::Identity> found =
      superblock_.and_then([](const std::unique_ptr<File>& file) { return ReadIdentity(*file); });
  if (superblock_) parts().superblock = *std::move(superblock_);
  if (opening_.salvages && (found || Opening::IsDamage(found.error()))) {
    auto read = ReadCopy();
    // If the copy is needed, failing to read it for a reason other than damage is an error.
    if (!found && !read) return read;
  }
  if (!found && copy_) found = copy_->identity;
  if (found) {
    parts().identity = *std::move(found);
    return {};
  }
  if (!Opening::IsDamage(found.error())) return tl::unexpected(std::move(found).error());
  return opening_.salvages ? RefuseUnknown(found.error()) : RefuseDamaged(found.error());
}

Result<void> SuperblockRecovery::ReadCopy() {
  auto copy = ReadIdentityCopy(*parts().env, parts().path);
  if (copy) {
    copy_ = *std::move(copy);
    return {};
  }
  why_no_copy_ = copy.error().message;
  return Opening::IsDamage(copy.error()) ? Result<void>() : tl::unexpected(std::move(copy).error());
}

// Without the identity no page's checksum can be verified.
Result<void> SuperblockRecovery::RefuseUnknown(const Error& error) const {
  if (error.code == ErrorCode::kNotFound && RequireNeverOpened(*parts().env, parts().path)) {
    return Fail(ErrorCode::kNotFound, "there is no kvfs store at " + parts().path);
  }
  return Fail(ErrorCode::kCorrupt,
              "nothing tells what the store at " + parts().path + " is: its superblock is lost (" +
                  error.message + "), and so is the copy of its identity (" + why_no_copy_ +
                  "); put the file `identity` or `superblock` of a backup, or of another copy of "
                  "this store, in its place, and repair the store then");
}

Result<void> SuperblockRecovery::RefuseDamaged(const Error& error) const {
  if (error.code != ErrorCode::kCorrupt) return tl::unexpected(error);
  return Fail(error.code, error.message + "; " + RepairRemedy(parts().path));
}

Result<void> SuperblockRecovery::FindCheckpoint() {
  auto found = parts().superblock ? ReadCheckpoint(*parts().superblock, parts().identity)
                                  : Fail(ErrorCode::kCorrupt, "the superblock is lost");
  if (!found && !Opening::IsDamage(found.error())) return tl::unexpected(std::move(found).error());
  if (!found && !opening_.salvages) return RefuseDamaged(found.error());
  if (!found && copy_ && copy_->identity.store == parts().identity.store && copy_->checkpoint) {
    found = *copy_->checkpoint;
  }
  if (!found) return DoWithoutCheckpoint(found.error().message);
  opening_.checkpoint = *std::move(found);
  opening_.has_checkpoint = true;
  return opening_.salvages ? LeaveOldCheckpoint() : Result<void>();
}

Result<void> SuperblockRecovery::DoWithoutCheckpoint(const std::string& why) {
  opening_.has_checkpoint = false;
  parts().losses.push_back(why +
                           ": entries are read from all pages there are, and some that were "
                           "erased or replaced may be among them; the log is left out");
  opening_.checkpoint = {};
  opening_.checkpoint.epoch = opening_.checkpoint.first_segment =
      opening_.checkpoint.next_sequence = 1;
  opening_.checkpoint.shards.resize(parts().identity.shards);
  return {};
}

// Discards an outdated checkpoint, read from a backup, or from a copy whose newest version was lost
// in a power failure: pages that it refers to have been reused since. If the store was not closed,
// pages of one later epoch are normal, from an interrupted checkpoint.
Result<void> SuperblockRecovery::LeaveOldCheckpoint() {
  const bool is_closed = opening_.checkpoint.last_segment == format::kNoSegment;
  const uint64_t newest = opening_.checkpoint.epoch + (is_closed ? 0 : 1);
  for (uint32_t i = 0; i < parts().identity.shards; ++i) {
    const auto keys = parts().env->OpenFile(ShardPath(parts().path, i, "keys"), opening_.access);
    if (!keys) continue;
    KVFS_ASSIGN(const bool is_old, HasNewerPage(**keys, opening_.ConfigOf(i), newest));
    if (is_old) {
      return DoWithoutCheckpoint(
          "the newest checkpoint that can be read is older than the pages "
          "of shard " +
          std::to_string(i));
    }
  }
  return {};
}

// Without this, later damage could make an outdated slot the newest, after its pages were reused. A
// slot that seems sound is rewritten nevertheless, since it may be in the page cache only, if the
// sync of the process that wrote it failed. It is rewritten first, as the other slot may be the
// only one on disk.
Result<void> SuperblockRecovery::Repair() {
  const std::vector<std::byte> identity = parts().identity.Encode();
  for (const uint64_t offset : format::kIdentityOffset) {
    KVFS_ASSIGN(const bool is_sound, Holds(offset, identity));
    if (!is_sound) KVFS_TRY(WritePart(offset, identity, "identity"));
  }
  const std::vector<std::byte> slot = opening_.checkpoint.Encode(parts().identity.store);
  KVFS_ASSIGN(const bool is_first_sound, Holds(format::kSlotOffset[0], slot));
  const size_t sound = is_first_sound ? 0 : 1;
  KVFS_TRY(WritePart(format::kSlotOffset[sound], slot, ""));
  KVFS_ASSIGN(const bool is_other_sound, Holds(format::kSlotOffset[1 - sound], slot));
  // One slot that is certainly on disk is enough to continue.
  if (is_other_sound) return {};
  return WritePart(format::kSlotOffset[1 - sound], slot, "checkpoint");
}

Result<bool> SuperblockRecovery::Holds(uint64_t offset, Bytes sound) const {
  std::vector<std::byte> present(sound.size());
  KVFS_TRY(parts().superblock->Read(offset, present));
  return std::ranges::equal(present, sound);
}

Result<void> SuperblockRecovery::WritePart(uint64_t offset, Bytes sound,
                                           const std::string& damaged) {
  if (!damaged.empty()) {
    opening_.Log("the superblock's " + damaged + " at " + std::to_string(offset) +
                 " is not the newest one; rewritten");
  }
  KVFS_TRY(parts().superblock->Write(offset, sound));
  return parts().superblock->Sync();
}

}  // namespace kvfs
