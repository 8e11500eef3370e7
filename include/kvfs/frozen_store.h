// A snapshot in the form of a Store, for code that takes a Store: reads go to the snapshot, and
// changes fail with kReadOnly. Costs the same as the snapshot.
//
// Threads: as for any store. It must be destroyed before the underlying store.
#pragma once

#include <memory>

#include <kvfs/store.h>

namespace kvfs {

class FrozenStore final : public Store {
 public:
  static Result<std::unique_ptr<FrozenStore>> Of(Store& store);

  Result<EntryInfo> Stat(Key key) const override { return snapshot_->Stat(key); }
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const override {
    return snapshot_->Read(key, offset, out);
  }
  Result<void> ReadAll(Key key, std::string* content) const override {
    return snapshot_->ReadAll(key, content);
  }
  Result<uint64_t> FindData(Key key, uint64_t offset) const override {
    return snapshot_->FindData(key, offset);
  }
  Result<uint64_t> FindHole(Key key, uint64_t offset) const override {
    return snapshot_->FindHole(key, offset);
  }
  Result<void> List(DirectoryId directory, Position from, const ListVisitor& visit) const override {
    return snapshot_->List(directory, from, visit);
  }

  Result<void> Damage() const override { return store_.Damage(); }
  // Does nothing: the underlying store is closed by its owner.
  Result<void> Close() override { return {}; }
  Result<void> Apply(const Batch& batch) override;
  Result<bool> ApplyPart(const Batch& batch) override;
  Result<uint64_t> CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                             uint64_t length, MetaEdit edit) override;
  uint64_t ReserveId(std::string_view) override { return 0; }
  uint64_t ReserveIdLike(uint64_t) override { return 0; }
  // A snapshot of the underlying store's current state.
  Result<std::unique_ptr<Snapshot>> TakeSnapshot() const override { return store_.TakeSnapshot(); }
  Result<void> Sync() override { return store_.Sync(); }
  Result<void> Checkpoint() override;
  Result<void> Compact() override;
  Result<CheckReport> Check(const CheckOptions& options) const override {
    return store_.Check(options);
  }
  StoreStats GetStats() const override { return store_.GetStats(); }
  Result<DiskSpace> GetDiskSpace() const override { return store_.GetDiskSpace(); }

 private:
  FrozenStore(Store& store, std::unique_ptr<Snapshot> snapshot)
      : store_(store), snapshot_(std::move(snapshot)) {}

  Store& store_;
  const std::unique_ptr<Snapshot> snapshot_;
};

}  // namespace kvfs
