// Opening, and the plain user's calls in terms of the general ones.
#include "store/store.h"

#include "store/engine.h"
#include "store/recovery.h"

namespace kvfs {

Result<std::unique_ptr<Store>> Store::Open(Env& env, const std::string& path, OpenOptions options) {
  KVFS_ASSIGN(std::unique_ptr<EngineParts> parts, Recover(env, path, std::move(options)));
  return std::make_unique<Engine>(std::move(parts));
}

Result<void> Store::Put(std::string_view name, std::string_view value) {
  Batch batch;
  batch.Put({kRootSpace, name}, AsBytes(value));
  return Apply(batch);
}

Result<std::string> Store::Get(std::string_view name) const {
  // Room for one byte more than expected: a read that leaves some was of the whole value, and so
  // of one state of it. Most values take one read.
  constexpr size_t kUsual = 4096;
  const Key key{kRootSpace, name};
  char usual[kUsual];
  KVFS_ASSIGN(size_t count, Read(key, 0, std::as_writable_bytes(std::span(usual))));
  if (count < kUsual) return std::string(usual, count);
  std::string value;
  do {
    KVFS_ASSIGN(const EntryInfo info, Stat(key));
    if (info.size_bytes > kMaxGetBytes) {
      return Fail(ErrorCode::kTooLarge,
                  "the value has " + std::to_string(info.size_bytes) + " bytes; read it in ranges");
    }
    value.resize(info.size_bytes + 1);
    KVFS_ASSIGN(count, Read(key, 0, std::as_writable_bytes(std::span(value))));
  } while (count == value.size());
  value.resize(count);
  return value;
}

Result<void> Store::Erase(std::string_view name) {
  Batch batch;
  batch.Erase({kRootSpace, name});
  return Apply(batch);
}

}  // namespace kvfs
