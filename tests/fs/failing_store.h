// A wrapper of a real store in which one call fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <kvfs/store.h>

namespace kvfs::fs {

class FailingStore final : public Store {
 public:
  explicit FailingStore(Store& store) : store_(store) {}

  // The `nth` call from now on, counted from 1, fails with kIo and does nothing.
  void FailCall(uint64_t nth) { left_ = nth; }
  // Whether that has happened; it happens only once.
  bool HasFailed() const { return left_ == 0; }
  void Heal() { left_ = UINT64_MAX; }

  Result<EntryInfo> Stat(Key key) const override {
    KVFS_TRY(Step());
    return store_.Stat(key);
  }
  Result<size_t> Read(Key key, uint64_t offset, MutableBytes out) const override {
    KVFS_TRY(Step());
    return store_.Read(key, offset, out);
  }
  Result<void> ReadAll(Key key, std::string* content) const override {
    KVFS_TRY(Step());
    return store_.ReadAll(key, content);
  }
  Result<uint64_t> FindData(Key key, uint64_t offset) const override {
    KVFS_TRY(Step());
    return store_.FindData(key, offset);
  }
  Result<uint64_t> FindHole(Key key, uint64_t offset) const override {
    KVFS_TRY(Step());
    return store_.FindHole(key, offset);
  }
  Result<void> List(DirectoryId directory, Position from, const ListVisitor& visit) const override {
    KVFS_TRY(Step());
    return store_.List(directory, from, visit);
  }
  Result<void> Close() override { return store_.Close(); }
  Result<void> Apply(const Batch& batch) override {
    KVFS_TRY(Step());
    return store_.Apply(batch);
  }
  Result<void> Damage() const override { return store_.Damage(); }
  Result<bool> ApplyPart(const Batch& batch) override {
    KVFS_TRY(Step());
    return store_.ApplyPart(batch);
  }
  Result<uint64_t> CopyRange(Key from, uint64_t from_offset, Key to, uint64_t to_offset,
                             uint64_t length, MetaEdit edit) override {
    KVFS_TRY(Step());
    return store_.CopyRange(from, from_offset, to, to_offset, length, std::move(edit));
  }
  uint64_t ReserveId(std::string_view name) override { return store_.ReserveId(name); }
  uint64_t ReserveIdLike(uint64_t other) override { return store_.ReserveIdLike(other); }
  Result<std::unique_ptr<Snapshot>> TakeSnapshot() const override {
    KVFS_TRY(Step());
    return store_.TakeSnapshot();
  }
  Result<void> Sync() override {
    KVFS_TRY(Step());
    return store_.Sync();
  }
  Result<void> Checkpoint() override { return store_.Checkpoint(); }
  Result<void> Compact() override { return store_.Compact(); }
  Result<CheckReport> Check(const CheckOptions& options) const override {
    return store_.Check(options);
  }
  StoreStats GetStats() const override { return store_.GetStats(); }
  Result<DiskSpace> GetDiskSpace() const override {
    KVFS_TRY(Step());
    return store_.GetDiskSpace();
  }

 private:
  Result<void> Step() const {
    if (left_ == 0 || left_ == UINT64_MAX || --left_ > 0) return {};
    return Fail(ErrorCode::kIo, "this call fails for a test");
  }

  Store& store_;
  mutable uint64_t left_ = UINT64_MAX;
};

}  // namespace kvfs::fs
