// The clock runs over the counted operations alone; bytes written and memory are those of the whole
// process, up to and with the closing of the store.
#include "bench/measure.h"

#include <algorithm>

#include "bench/driver.h"
#include "bench/gauges.h"
#include "bench/stop.h"

namespace kvfs::bench {
namespace {

std::unique_ptr<Engine> Open(const Job& job, const Workload& workload) {
  const EngineOptions options = {.directory = job.directory,
                                 .durability = workload.durability,
                                 .entries = job.entries,
                                 .value_bytes = job.value_bytes,
                                 .operations = job.operations,
                                 .ascending = workload.order == Order::kAscending};
  const auto kind = std::ranges::find(Engines(), job.engine, &EngineKind::name);
  if (kind == Engines().end()) Stop("there is no engine " + job.engine);
  return kind->open(options);
}

}  // namespace

Measurement Measure(const Job& job) {
  const Workload* const workload = FindWorkload(job.workload);
  if (workload == nullptr) Stop("there is no workload " + job.workload);
  Measurement result{.engine = job.engine,
                     .workload = job.workload,
                     .entries = job.entries,
                     .value_bytes = job.value_bytes,
                     .operations = job.operations};
  if (job.real_time && workload->threads == 1) BecomeRealTime();
  if (workload->warm_up == WarmUp::kDropCaches) DropCaches(job.directory);
  MemoryWatch memory;
  const std::unique_ptr<Engine> engine = Open(job, *workload);
  Driver driver(*engine, job, *workload);
  driver.WarmUp();
  double wall = 0;
  double cpu = 0;
  driver.Run([&] {
    cpu = CpuSeconds();
    wall = WallSeconds();
  });
  result.seconds = WallSeconds() - wall;
  result.cpu_seconds = CpuSeconds() - cpu;
  engine->Close();
  result.memory_bytes = memory.PeakBytes();
  result.resident_bytes = PeakResidentBytes();
  result.written_bytes = WrittenBytes();
  result.disk_bytes = DiskBytes(job.directory);
  return result;
}

}  // namespace kvfs::bench
