// RocksDB: what its wiki's page "Setup Options and Basic Tuning" advises, with a block cache that
// holds the data set and the index in the blocks that it advises for point lookups.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <thread>

#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

void Check(const rocksdb::Status& status) {
  if (!status.ok()) Stop("rocksdb: " + status.ToString());
}

rocksdb::Slice SliceOf(std::string_view text) { return {text.data(), text.size()}; }
std::string_view TextOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::BlockBasedTableOptions TableSettings(const EngineOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(CacheBytes(options));
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.block_size = 16 << 10;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  return table;
}

rocksdb::Options Settings(const EngineOptions& options) {
  rocksdb::Options settings;
  settings.create_if_missing = true;
  // Two buffers of 64 MiB, the default and advised size: as much as the others have.
  settings.write_buffer_size = kWriteBufferBytes / 2;
  settings.level_compaction_dynamic_level_bytes = true;
  settings.max_background_jobs = static_cast<int>(std::thread::hardware_concurrency());
  settings.bytes_per_sync = 1 << 20;
  settings.compaction_pri = rocksdb::kMinOverlappingRatio;
  settings.compression = rocksdb::kNoCompression;
  settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableSettings(options)));
  return settings;
}

class RocksDbEngine : public Engine {
 public:
  explicit RocksDbEngine(const EngineOptions& options) {
    writing_.sync = options.durability == Durability::kSynced;
    rocksdb::DB* opened = nullptr;
    Check(rocksdb::DB::Open(Settings(options), options.directory + "/db", &opened));
    database_.reset(opened);
  }

  void Put(std::string_view key, std::string_view value) override {
    Check(database_->Put(writing_, SliceOf(key), SliceOf(value)));
  }

  void PutBatch(std::span<const Pair> pairs) override {
    rocksdb::WriteBatch batch;
    for (const Pair& pair : pairs) Check(batch.Put(SliceOf(pair.key), SliceOf(pair.value)));
    Check(database_->Write(writing_, &batch));
  }

  bool Get(std::string_view key, std::string* value) override {
    const rocksdb::Status status = database_->Get(
        rocksdb::ReadOptions(), database_->DefaultColumnFamily(), SliceOf(key), &found_);
    if (status.IsNotFound()) return false;
    Check(status);
    value->assign(found_.data(), found_.size());
    found_.Reset();
    return true;
  }

  void Delete(std::string_view key) override { Check(database_->Delete(writing_, SliceOf(key))); }

  void Scan(const ScanVisitor& visit) override {
    const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(rocksdb::ReadOptions()));
    for (at->SeekToFirst(); at->Valid(); at->Next()) visit(TextOf(at->key()), TextOf(at->value()));
    Check(at->status());
  }

  void Compact() override {
    Check(database_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }

  void Close() override {
    Check(database_->Close());
    database_.reset();
  }

 private:
  rocksdb::WriteOptions writing_;
  rocksdb::PinnableSlice found_;
  std::unique_ptr<rocksdb::DB> database_;
};

}  // namespace

std::unique_ptr<Engine> OpenRocksDb(const EngineOptions& options) {
  return std::make_unique<RocksDbEngine>(options);
}

}  // namespace kvfs::bench
