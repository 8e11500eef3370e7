// SQLite: a table of keys and values, a write-ahead log, prepared statements, a connection for each
// thread that puts.
//
// Its documentation advises a table WITHOUT ROWID where the key is no integer and rows are short
// (below a twentieth of a page), and larger pages for large values.
#include <sqlite3.h>

#include <mutex>

#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kLargePageBytes = 16384;
constexpr uint64_t kLargeValueBytes = 10'000;

struct Settings {
  std::string path;
  bool synced = false;
  bool short_rows = false;
  uint64_t page_bytes = kPageBytes;
  uint64_t cache_bytes = 0;
};

Settings SettingsFor(const EngineOptions& options) {
  return {.path = options.directory + "/db.sqlite",
          .synced = options.durability == Durability::kSynced,
          .short_rows = options.value_bytes < kPageBytes / 20,
          .page_bytes = options.value_bytes >= kLargeValueBytes ? kLargePageBytes : kPageBytes,
          .cache_bytes = CacheBytes(options)};
}

// A statement that is prepared once and run many times.
class Statement {
 public:
  Statement(sqlite3* database, const char* text) : database_(database) {
    Require(sqlite3_prepare_v3(database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                               nullptr) == SQLITE_OK);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int place, std::string_view blob) {
    Require(sqlite3_bind_blob64(statement_, place, blob.data(), blob.size(), SQLITE_STATIC) ==
            SQLITE_OK);
    return *this;
  }
  // Whether there is a row.
  bool Step() {
    const int code = sqlite3_step(statement_);
    Require(code == SQLITE_ROW || code == SQLITE_DONE);
    return code == SQLITE_ROW;
  }
  void Run() {
    Step();
    Reset();
  }
  void Reset() { sqlite3_reset(statement_); }
  std::string_view Column(int place) {
    const void* const data = sqlite3_column_blob(statement_, place);
    return {static_cast<const char*>(data),
            static_cast<size_t>(sqlite3_column_bytes(statement_, place))};
  }

 private:
  void Require(bool success) {
    if (!success) Stop(std::string("sqlite: ") + sqlite3_errmsg(database_));
  }

  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
};

// The database is closed after the statements.
struct Handle {
  sqlite3* database = nullptr;
  ~Handle() { sqlite3_close(database); }
};

class Connection {
 public:
  explicit Connection(const Settings& settings)
      : handle_{Open(settings)},
        put(handle_.database, "INSERT OR REPLACE INTO entries VALUES(?, ?)"),
        get(handle_.database, "SELECT value FROM entries WHERE key = ?"),
        erase(handle_.database, "DELETE FROM entries WHERE key = ?"),
        scan(handle_.database, "SELECT key, value FROM entries"),
        begin(handle_.database, "BEGIN"),
        commit(handle_.database, "COMMIT") {}

  void Execute(const std::string& text) { Execute(handle_.database, text); }

 private:
  static void Execute(sqlite3* database, const std::string& text) {
    if (sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
    Stop("sqlite: " + text + ": " + sqlite3_errmsg(database));
  }

  static sqlite3* Open(const Settings& settings) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(settings.path.c_str(), &database, flags, nullptr) != SQLITE_OK) {
      Stop("sqlite: cannot open " + settings.path);
    }
    sqlite3_busy_timeout(database, 600'000);
    Execute(database, "PRAGMA page_size = " + std::to_string(settings.page_bytes));
    Execute(database, "PRAGMA journal_mode = WAL");
    Execute(database,
            settings.synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    Execute(database, "PRAGMA wal_autocheckpoint = " +
                          std::to_string(kWriteBufferBytes / settings.page_bytes));
    Execute(database, "PRAGMA mmap_size = 17179869184");
    Execute(database, "PRAGMA cache_size = -" + std::to_string(settings.cache_bytes / 1024));
    Execute(database, std::string("CREATE TABLE IF NOT EXISTS entries(key BLOB PRIMARY KEY NOT "
                                  "NULL, value BLOB NOT NULL)") +
                          (settings.short_rows ? " WITHOUT ROWID" : ""));
    return database;
  }

  Handle handle_;

 public:
  Statement put;
  Statement get;
  Statement erase;
  Statement scan;
  Statement begin;
  Statement commit;
};

class SqliteEngine : public Engine {
 public:
  explicit SqliteEngine(const EngineOptions& options)
      : settings_(SettingsFor(options)), main_(std::make_unique<Connection>(settings_)) {
    Mine() = main_.get();
  }

  void Put(std::string_view key, std::string_view value) override {
    thread_local std::unique_ptr<Connection> own;
    if (Mine() == nullptr) {
      // One after another: preparing the log is not meant for many at once.
      const std::lock_guard lock(opening_);
      own = std::make_unique<Connection>(settings_);
      Mine() = own.get();
    }
    Mine()->put.Bind(1, key).Bind(2, value).Run();
  }

  void PutBatch(std::span<const Pair> pairs) override {
    main_->begin.Run();
    for (const Pair& pair : pairs) main_->put.Bind(1, pair.key).Bind(2, pair.value).Run();
    main_->commit.Run();
  }

  bool Get(std::string_view key, std::string* value) override {
    const bool found = main_->get.Bind(1, key).Step();
    if (found) value->assign(main_->get.Column(0));
    main_->get.Reset();
    return found;
  }

  void Delete(std::string_view key) override { main_->erase.Bind(1, key).Run(); }

  void Scan(const ScanVisitor& visit) override {
    while (main_->scan.Step()) visit(main_->scan.Column(0), main_->scan.Column(1));
    main_->scan.Reset();
  }

  void Compact() override { main_->Execute("VACUUM"); }

  void Close() override { main_.reset(); }

 private:
  static Connection*& Mine() {
    thread_local Connection* connection = nullptr;
    return connection;
  }

  const Settings settings_;
  std::mutex opening_;
  std::unique_ptr<Connection> main_;
};

}  // namespace

std::unique_ptr<Engine> OpenSqlite(const EngineOptions& options) {
  return std::make_unique<SqliteEngine>(options);
}

}  // namespace kvfs::bench
