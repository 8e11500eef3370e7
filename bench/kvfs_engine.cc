// kvfs through its public headers, with the options that a user gets who sets none.
#include <kvfs/store.h>
#include "bench/engines.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

template <typename T>
T Checked(Result<T> result) {
  if (!result) Stop("kvfs: " + result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Bytes BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

class KvfsEngine : public Engine {
 public:
  explicit KvfsEngine(const EngineOptions& options)
      : synced_(options.durability == Durability::kSynced) {
    const std::string path = options.directory + "/store";
    if (!Checked(GetPosixEnv().Exists(path))) Checked(Store::Create(GetPosixEnv(), path));
    store_ = Checked(Store::Open(GetPosixEnv(), path));
  }

  void Put(std::string_view key, std::string_view value) override {
    Checked(store_->Put(key, value));
    if (synced_) Checked(store_->Sync());
  }

  void PutBatch(std::span<const Pair> pairs) override {
    Batch batch;
    for (const Pair& pair : pairs) batch.Put({.name = pair.key}, BytesOf(pair.value));
    Checked(store_->Apply(batch));
  }

  bool Get(std::string_view key, std::string* value) override {
    Result<void> got = store_->ReadAll({.name = key}, value);
    if (!got && got.error().code == ErrorCode::kNotFound) return false;
    Checked(std::move(got));
    return true;
  }

  void Delete(std::string_view key) override { Checked(store_->Erase(key)); }

  void Scan(const ScanVisitor& visit) override {
    std::string value;
    Checked(store_->List(kRootDirectory, 0, [&](const ListedEntry& entry) {
      if (entry.content.size() == entry.size_bytes) {
        visit(entry.name,
              {reinterpret_cast<const char*>(entry.content.data()), entry.content.size()});
      } else {
        Checked(store_->ReadAll({.name = entry.name}, &value));
        visit(entry.name, value);
      }
      return true;
    }));
  }

  void Compact() override { Checked(store_->Compact()); }

  void Close() override { Checked(store_->Close()); }

 private:
  const bool synced_;
  std::unique_ptr<Store> store_;
};

}  // namespace

std::unique_ptr<Engine> OpenKvfs(const EngineOptions& options) {
  return std::make_unique<KvfsEngine>(options);
}

}  // namespace kvfs::bench
