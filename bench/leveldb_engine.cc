// LevelDB: a block cache that holds the data set, a Bloom filter, a large write buffer.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

void Check(const leveldb::Status& status) {
  if (!status.ok()) Stop("leveldb: " + status.ToString());
}

leveldb::Slice SliceOf(std::string_view text) { return {text.data(), text.size()}; }
std::string_view TextOf(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

class LevelDbEngine : public Engine {
 public:
  explicit LevelDbEngine(const EngineOptions& options)
      : cache_(leveldb::NewLRUCache(CacheBytes(options))),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    writing_.sync = options.durability == Durability::kSynced;
    leveldb::Options settings;
    settings.create_if_missing = true;
    settings.block_cache = cache_.get();
    settings.filter_policy = filter_.get();
    settings.write_buffer_size = kWriteBufferBytes;
    settings.compression = leveldb::kNoCompression;
    leveldb::DB* opened = nullptr;
    Check(leveldb::DB::Open(settings, options.directory + "/db", &opened));
    database_.reset(opened);
  }

  void Put(std::string_view key, std::string_view value) override {
    Check(database_->Put(writing_, SliceOf(key), SliceOf(value)));
  }

  void PutBatch(std::span<const Pair> pairs) override {
    leveldb::WriteBatch batch;
    for (const Pair& pair : pairs) batch.Put(SliceOf(pair.key), SliceOf(pair.value));
    Check(database_->Write(writing_, &batch));
  }

  bool Get(std::string_view key, std::string* value) override {
    const leveldb::Status status = database_->Get({}, SliceOf(key), value);
    if (status.IsNotFound()) return false;
    Check(status);
    return true;
  }

  void Delete(std::string_view key) override { Check(database_->Delete(writing_, SliceOf(key))); }

  void Scan(const ScanVisitor& visit) override {
    const std::unique_ptr<leveldb::Iterator> at(database_->NewIterator({}));
    for (at->SeekToFirst(); at->Valid(); at->Next()) visit(TextOf(at->key()), TextOf(at->value()));
    Check(at->status());
  }

  void Compact() override { database_->CompactRange(nullptr, nullptr); }

  void Close() override { database_.reset(); }

 private:
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  leveldb::WriteOptions writing_;
  std::unique_ptr<leveldb::DB> database_;
};

}  // namespace

std::unique_ptr<Engine> OpenLevelDb(const EngineOptions& options) {
  return std::make_unique<LevelDbEngine>(options);
}

}  // namespace kvfs::bench
