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
  const Key key{kRootSpace, name};
  std::string value;
  // A value that grows between the two calls is read again, so that the result is one state.
  while (true) {
    KVFS_ASSIGN(const EntryInfo info, Stat(key));
    value.resize(info.size_bytes + 1);
    KVFS_ASSIGN(const size_t count, Read(key, 0, std::as_writable_bytes(std::span(value))));
    if (count > info.size_bytes) continue;
    value.resize(count);
    return value;
  }
}

Result<void> Store::Erase(std::string_view name) {
  Batch batch;
  batch.Erase({kRootSpace, name});
  return Apply(batch);
}

}  // namespace kvfs
