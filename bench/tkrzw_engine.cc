// Tkrzw's hash file: twice as many buckets as entries, everything else as it comes. It is not
// crash-safe: after the death of its process a database is restored by a scan, and after a loss
// of power it may have lost or damaged what was not synced.
#include <tkrzw_dbm_hash.h>

#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

void Check(const tkrzw::Status& status) {
  if (!status.IsOK()) Stop("tkrzw: " + tkrzw::ToString(status));
}

class TkrzwEngine : public Engine {
 public:
  explicit TkrzwEngine(const EngineOptions& options)
      : synced_(options.durability == Durability::kSynced) {
    tkrzw::HashDBM::TuningParameters settings;
    settings.num_buckets = static_cast<int64_t>(options.entries * 2);
    Check(database_.OpenAdvanced(options.directory + "/db.tkh", true, tkrzw::File::OPEN_DEFAULT,
                                 settings));
  }

  void Put(std::string_view key, std::string_view value) override {
    Check(database_.Set(key, value));
    if (synced_) Check(database_.Synchronize(true));
  }

  // It has no batches: entries become visible one by one.
  void PutBatch(std::span<const Pair> pairs) override {
    for (const Pair& pair : pairs) Check(database_.Set(pair.key, pair.value));
  }

  bool Get(std::string_view key, std::string* value) override {
    const tkrzw::Status status = database_.Get(key, value);
    if (status == tkrzw::Status::NOT_FOUND_ERROR) return false;
    Check(status);
    return true;
  }

  void Delete(std::string_view key) override { Check(database_.Remove(key)); }

  void Scan(const ScanVisitor& visit) override {
    class Visitor : public tkrzw::DBM::RecordProcessor {
     public:
      explicit Visitor(const ScanVisitor& handler) : handler_(handler) {}
      std::string_view ProcessFull(std::string_view key, std::string_view value) override {
        handler_(key, value);
        return NOOP;
      }

     private:
      const ScanVisitor& handler_;
    } visitor(visit);
    Check(database_.ProcessEach(&visitor, false));
  }

  void Compact() override { Check(database_.Rebuild()); }

  void Close() override { Check(database_.Close()); }

 private:
  const bool synced_;
  tkrzw::HashDBM database_;
};

}  // namespace

std::unique_ptr<Engine> OpenTkrzw(const EngineOptions& options) {
  return std::make_unique<TkrzwEngine>(options);
}

}  // namespace kvfs::bench
