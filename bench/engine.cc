// What an adapter need not define, because no workload asks it of its engine (see CanRun).
#include "bench/engine.h"

#include "bench/stop.h"

namespace kvfs::bench {

void Engine::PutBatch(std::span<const Pair>) { Stop("this engine has no batches"); }
bool Engine::Get(std::string_view, std::string*) { Stop("this engine has no gets"); }
void Engine::Delete(std::string_view) { Stop("this engine has no deletes"); }
void Engine::Scan(const ScanVisitor&) { Stop("this engine has no scans"); }
void Engine::Compact() { Stop("this engine has no compaction"); }

}  // namespace kvfs::bench
