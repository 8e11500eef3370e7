// Opening, and the plain user's calls in terms of the general ones.
#include "store/store.h"

#include "store/engine.h"
#include "store/recovery.h"

namespace kvfs {
namespace {

// Erases what must not outlive the process that made it.
Result<void> EraseTransient(Store& store) {
  constexpr size_t kAtOnce = 1000;
  while (true) {
    std::vector<std::string> names;
    auto listed = store.List(kTransientSpace, 0, [&](const ListedEntry& entry) {
      names.emplace_back(entry.name);
      return names.size() < kAtOnce;
    });
    // What damage hides stays where it is.
    if (!listed && listed.error().code != ErrorCode::kCorrupt) return listed;
    if (names.empty()) return {};
    Batch batch;
    for (const std::string& name : names) batch.Erase({kTransientSpace, name});
    auto erased = store.Apply(batch);
    if (!erased) return erased.error().code == ErrorCode::kCorrupt ? Result<void>() : erased;
  }
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(Env& env, const std::string& path, OpenOptions options) {
  const bool read_only = options.read_only;
  KVFS_ASSIGN(std::unique_ptr<EngineParts> parts, Recover(env, path, std::move(options)));
  auto store = std::make_unique<Engine>(std::move(parts));
  if (!read_only) KVFS_TRY(EraseTransient(*store));
  return store;
}

Result<void> Store::Put(std::string_view name, std::string_view value) {
  Batch batch;
  batch.Put({kRootSpace, name}, AsBytes(value));
  return Apply(batch);
}

Result<std::string> Reader::Get(std::string_view name) const {
  std::string value;
  KVFS_TRY(Get(name, &value));
  return value;
}

Result<void> Reader::Get(std::string_view name, std::string* value) const {
  // Room for one byte more than expected: a read that leaves some was of the whole value. Most
  // values take one read.
  constexpr size_t kUsual = 1024;
  const Key key{kRootSpace, name};
  char usual[kUsual];
  KVFS_ASSIGN(size_t count, Read(key, 0, std::as_writable_bytes(std::span(usual))));
  if (count < kUsual) {
    value->assign(usual, count);
    return {};
  }
  do {
    KVFS_ASSIGN(const EntryInfo info, Stat(key));
    if (info.size_bytes > kMaxGetBytes) {
      return Fail(ErrorCode::kTooLarge,
                  "the value has " + std::to_string(info.size_bytes) + " bytes; read it in ranges");
    }
    value->resize(info.size_bytes + 1);
    KVFS_ASSIGN(count, Read(key, 0, std::as_writable_bytes(std::span(*value))));
  } while (count == value->size());
  value->resize(count);
  return {};
}

Result<void> Store::Erase(std::string_view name) {
  Batch batch;
  batch.Erase({kRootSpace, name});
  return Apply(batch);
}

}  // namespace kvfs
