// The table of engines, and which of them can do what.
#include "bench/engines.h"

#include <array>

namespace kvfs::bench {
namespace {

constexpr std::array kEngines = {
    EngineKind{"kvfs", OpenKvfs},
    EngineKind{"lmdb", OpenLmdb},
    EngineKind{"lmdb-wm", OpenLmdbWriteMap},
    EngineKind{"leveldb", OpenLevelDb},
    EngineKind{"rocksdb", OpenRocksDb},
    EngineKind{"sqlite", OpenSqlite},
    EngineKind{"tkrzw", OpenTkrzw},
    EngineKind{"bare", OpenBare},
};

}  // namespace

std::span<const EngineKind> Engines() { return kEngines; }

bool CanRun(std::string_view engine, const Workload& workload) {
  if (engine == "bare") return workload.durability == Durability::kSynced;
  // LMDB compacts only into a copy.
  if (engine.starts_with("lmdb")) return workload.action != Action::kCompact;
  return true;
}

}  // namespace kvfs::bench
