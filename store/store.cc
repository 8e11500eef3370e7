// Opening, and the convenience calls in terms of the general ones.
#include <kvfs/store.h>
#include "store/base/out_of_memory.h"
#include "store/engine/engine.h"
#include "store/engine/recovery.h"

namespace kvfs {
namespace {

// Erases entries that must not outlive the process that created them.
Result<void> EraseTransient(Store& store) {
  constexpr size_t kAtOnce = 1000;
  while (true) {
    std::vector<std::string> names;
    auto listed = store.List(kTransientDirectory, 0, [&](const ListedEntry& entry) {
      names.emplace_back(entry.name);
      return names.size() < kAtOnce;
    });
    // Entries hidden by damage stay.
    if (!listed && listed.error().code != ErrorCode::kCorrupt) return listed;
    if (names.empty()) return {};
    Batch batch;
    for (const std::string& name : names) batch.Erase({kTransientDirectory, name});
    auto erased = store.Apply(batch);
    if (erased) continue;
    // A full disk must not prevent opening, either: the next opening tries again.
    const ErrorCode code = erased.error().code;
    if (code == ErrorCode::kCorrupt || code == ErrorCode::kNoSpace) return {};
    return erased;
  }
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(Env& env, const std::string& path, OpenOptions options) {
  return WithinMemory([&]() -> Result<std::unique_ptr<Store>> {
    KVFS_ASSIGN(std::unique_ptr<EngineParts> parts, Recover(env, path, std::move(options)));
    const bool read_only = parts->options.read_only;
    auto store = std::make_unique<Engine>(std::move(parts));
    if (!read_only) KVFS_TRY(EraseTransient(*store));
    return store;
  });
}

Result<void> Store::Put(std::string_view name, std::string_view value) {
  return WithinMemory([&] {
    Batch batch;
    batch.Put({kRootDirectory, name}, AsBytes(value));
    return Apply(batch);
  });
}

Result<std::string> Reader::Get(std::string_view name) const {
  std::string value;
  KVFS_TRY(ReadAll({kRootDirectory, name}, &value));
  return value;
}

Result<void> Store::Erase(std::string_view name) {
  return WithinMemory([&] {
    Batch batch;
    batch.Erase({kRootDirectory, name});
    return Apply(batch);
  });
}

}  // namespace kvfs
