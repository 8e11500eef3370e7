// The adapters: how each engine of the table is opened.
#pragma once

#include <memory>

#include "bench/engine.h"

namespace kvfs::bench {

std::unique_ptr<Engine> OpenKvfs(const EngineOptions& options);
std::unique_ptr<Engine> OpenLmdb(const EngineOptions& options);
std::unique_ptr<Engine> OpenLmdbWriteMap(const EngineOptions& options);
std::unique_ptr<Engine> OpenLevelDb(const EngineOptions& options);
std::unique_ptr<Engine> OpenRocksDb(const EngineOptions& options);
std::unique_ptr<Engine> OpenSqlite(const EngineOptions& options);
std::unique_ptr<Engine> OpenTkrzw(const EngineOptions& options);
std::unique_ptr<Engine> OpenBare(const EngineOptions& options);

}  // namespace kvfs::bench
