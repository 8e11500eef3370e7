// All changes are refused.
#include <kvfs/frozen_store.h>

namespace kvfs {
namespace {

tl::unexpected<Error> Refuse() {
  return Fail(ErrorCode::kReadOnly, "a snapshot cannot be changed");
}

}  // namespace

Result<std::unique_ptr<FrozenStore>> FrozenStore::Of(Store& store) {
  KVFS_ASSIGN(std::unique_ptr<Snapshot> snapshot, store.TakeSnapshot());
  return std::unique_ptr<FrozenStore>(new FrozenStore(store, std::move(snapshot)));
}

Result<void> FrozenStore::Apply(const Batch&) { return Refuse(); }

Result<bool> FrozenStore::ApplyPart(const Batch&) { return Refuse(); }

Result<uint64_t> FrozenStore::CopyRange(Key, uint64_t, Key, uint64_t, uint64_t, MetaEdit) {
  return Refuse();
}

Result<void> FrozenStore::Checkpoint() { return Refuse(); }

Result<void> FrozenStore::Compact() { return Refuse(); }

}  // namespace kvfs
