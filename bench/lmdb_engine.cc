// LMDB in its two modes: with a read-only map (the default), and with a writable one, which its
// header calls faster for what fits into memory, at the price that a stray write of the program can
// damage the database.
#include <lmdb.h>

#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

void Check(int code, const char* call) {
  if (code != MDB_SUCCESS) Stop(std::string("lmdb: ") + call + ": " + mdb_strerror(code));
}

MDB_val ValueOf(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

std::string_view TextOf(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

unsigned FlagsFor(Durability durability, bool write_map) {
  if (durability == Durability::kSynced) return write_map ? MDB_WRITEMAP : 0;
  return write_map ? MDB_WRITEMAP | MDB_MAPASYNC : MDB_NOSYNC;
}

class LmdbEngine : public Engine {
 public:
  LmdbEngine(const EngineOptions& options, bool write_map)
      : put_flags_(options.ascending ? MDB_APPEND : 0) {
    Check(mdb_env_create(&env_), "mdb_env_create");
    // Address space, not memory: room for whatever the data set becomes.
    Check(mdb_env_set_mapsize(env_, size_t{64} << 30), "mdb_env_set_mapsize");
    Check(mdb_env_open(env_, options.directory.c_str(), FlagsFor(options.durability, write_map),
                       0600),
          "mdb_env_open");
    MDB_txn* const transaction = Begin(0);
    Check(mdb_dbi_open(transaction, nullptr, 0, &database_), "mdb_dbi_open");
    Check(mdb_txn_commit(transaction), "mdb_txn_commit");
  }

  void Put(std::string_view key, std::string_view value) override {
    MDB_txn* const transaction = Begin(0);
    PutIn(transaction, key, value);
    Check(mdb_txn_commit(transaction), "mdb_txn_commit");
  }

  void PutBatch(std::span<const Pair> pairs) override {
    MDB_txn* const transaction = Begin(0);
    for (const Pair& pair : pairs) PutIn(transaction, pair.key, pair.value);
    Check(mdb_txn_commit(transaction), "mdb_txn_commit");
  }

  bool Get(std::string_view key, std::string* value) override {
    MDB_txn* const transaction = BeginReading();
    MDB_val wanted = ValueOf(key);
    MDB_val found;
    const int code = mdb_get(transaction, database_, &wanted, &found);
    if (code == MDB_SUCCESS) value->assign(TextOf(found));
    mdb_txn_reset(transaction);
    if (code != MDB_NOTFOUND) Check(code, "mdb_get");
    return code == MDB_SUCCESS;
  }

  void Delete(std::string_view key) override {
    MDB_txn* const transaction = Begin(0);
    MDB_val wanted = ValueOf(key);
    Check(mdb_del(transaction, database_, &wanted, nullptr), "mdb_del");
    Check(mdb_txn_commit(transaction), "mdb_txn_commit");
  }

  void Scan(const ScanVisitor& visit) override {
    MDB_txn* const transaction = BeginReading();
    MDB_cursor* cursor = nullptr;
    Check(mdb_cursor_open(transaction, database_, &cursor), "mdb_cursor_open");
    MDB_val key;
    MDB_val value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
      visit(TextOf(key), TextOf(value));
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(transaction);
  }

  void Close() override {
    if (reading_ != nullptr) mdb_txn_abort(reading_);
    mdb_env_close(env_);
  }

 private:
  MDB_txn* Begin(unsigned flags) {
    MDB_txn* transaction = nullptr;
    Check(mdb_txn_begin(env_, nullptr, flags, &transaction), "mdb_txn_begin");
    return transaction;
  }

  // One reading transaction, reset after each use and renewed for the next.
  MDB_txn* BeginReading() {
    if (reading_ == nullptr) return reading_ = Begin(MDB_RDONLY);
    Check(mdb_txn_renew(reading_), "mdb_txn_renew");
    return reading_;
  }

  void PutIn(MDB_txn* transaction, std::string_view key, std::string_view value) const {
    MDB_val name = ValueOf(key);
    MDB_val content = ValueOf(value);
    Check(mdb_put(transaction, database_, &name, &content, put_flags_), "mdb_put");
  }

  const unsigned put_flags_;
  MDB_env* env_ = nullptr;
  MDB_dbi database_ = 0;
  MDB_txn* reading_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> OpenLmdb(const EngineOptions& options) {
  return std::make_unique<LmdbEngine>(options, false);
}

std::unique_ptr<Engine> OpenLmdbWriteMap(const EngineOptions& options) {
  return std::make_unique<LmdbEngine>(options, true);
}

}  // namespace kvfs::bench
