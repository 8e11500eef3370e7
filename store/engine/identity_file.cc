// Reads, creates and updates the file.
#include "store/engine/identity_file.h"

#include <algorithm>

#include "store/engine/store_files.h"
#include "store/engine/superblock_file.h"

namespace kvfs {
namespace {

constexpr uint64_t kCopyOffset = format::kSlotOffset[0];

Result<IdentityCopy> ReadCopy(const File& file, const std::string& path) {
  IdentityCopy copy;
  auto identity = ReadIdentity(file);
  if (!identity) {
    Error error = std::move(identity).error();
    return Fail(error.code, path + " cannot be used: " + error.message);
  }
  copy.identity = *std::move(identity);
  KVFS_ASSIGN(const uint64_t size, file.SizeBytes());
  std::vector<std::byte> slot(size - std::min(size, kCopyOffset));
  slot.resize(std::min<size_t>(slot.size(), format::kSlotOffset[1] - format::kSlotOffset[0]));
  if (!file.Read(kCopyOffset, slot)) return copy;
  auto checkpoint = format::Checkpoint::Decode(slot, copy.identity.store, copy.identity.shards);
  if (checkpoint) copy.checkpoint = *std::move(checkpoint);
  return copy;
}

}  // namespace

Result<IdentityCopy> ReadIdentityCopy(Env& env, const std::string& store) {
  const std::string path = IdentityPath(store);
  KVFS_ASSIGN(const std::unique_ptr<File> file, env.OpenFile(path, Access::kReadOnly));
  return ReadCopy(*file, path);
}

Result<void> IdentityFile::Create(Env& env, const std::string& path,
                                  const format::Identity& identity,
                                  const format::Checkpoint& checkpoint) {
  KVFS_ASSIGN(const std::unique_ptr<File> file, CreateAnew(env, path));
  const std::vector<std::byte> slot = checkpoint.Encode(identity.store);
  KVFS_TRY(file->Allocate(0, kCopyOffset + slot.size()));
  KVFS_TRY(file->Write(0, identity.Encode()));
  KVFS_TRY(file->Write(kCopyOffset, slot));
  return file->Sync();
}

void IdentityFile::Open(Env& env, const std::string& store, const format::Identity& identity,
                        const format::Checkpoint& checkpoint,
                        const std::function<void(const std::string&)>& log) {
  identity_ = identity;
  auto opened = TryOpen(env, store, checkpoint, log);
  if (opened) return;
  file_.reset();
  if (!log) return;
  log("the copy of the store's identity, " + IdentityPath(store) + ", cannot be kept: " +
      opened.error().message + "; without it a store that loses its superblock cannot be repaired");
}

Result<void> IdentityFile::TryOpen(Env& env, const std::string& store,
                                   const format::Checkpoint& checkpoint,
                                   const std::function<void(const std::string&)>& log) {
  const std::string path = IdentityPath(store), anew = NewIdentityPath(store);
  auto opened = env.OpenFile(path);
  const bool is_missing = !opened && opened.error().code == ErrorCode::kNotFound;
  if (!opened && !is_missing) return tl::unexpected(std::move(opened).error());
  if (opened) {
    file_ = *std::move(opened);
    const auto copy = ReadCopy(*file_, path);
    if (copy && copy->identity.Encode() == identity_.Encode()) {
      if (copy->checkpoint != checkpoint) Keep(checkpoint);
      return {};
    }
    if (log) log(path + " is not the copy of the store's identity; recreated");
  }
  file_.reset();
  KVFS_TRY(Create(env, anew, identity_, checkpoint));
  KVFS_TRY(env.RenameFile(anew, path));
  KVFS_TRY(env.SyncDirectory(store));
  KVFS_ASSIGN(file_, env.OpenFile(path));
  return {};
}

// If this fails, the file has the previous checkpoint, or none: a repair then takes all leaves.
void IdentityFile::Keep(const format::Checkpoint& checkpoint) {
  if (file_) static_cast<void>(file_->Write(kCopyOffset, checkpoint.Encode(identity_.store)));
}

void IdentityFile::Sync() {
  if (file_) static_cast<void>(file_->Sync());
}

}  // namespace kvfs
