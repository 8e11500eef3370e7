// Carries one workload out on an open engine: what comes before the clock, the counted operations,
// and nothing else. Everything that is read is checked; what is wrong ends the process.
//
// Every engine gets the same keys and values in the same order, made by the same code, whose cost
// (some tens of nanoseconds an operation) is in the figures of all.
#pragma once

#include "bench/engine.h"
#include "bench/measurement.h"
#include "bench/workload.h"

namespace kvfs::bench {

class Driver {
 public:
  Driver(Engine& engine, const Job& job, const Workload& workload)
      : engine_(engine), job_(job), workload_(workload) {}

  // Not counted.
  void WarmUp();
  // Calls `start_clock` and carries the operations out.
  template <typename StartClock>
  void Run(StartClock start_clock) {
    start_clock_ = start_clock;
    Carry();
  }

 private:
  void Carry();
  void Put();
  void PutFromThreads();
  void PutBatches();
  void Delete();
  void Get();
  void GetAbsent();
  void Scan();
  void Mixed();

  void GetOne(uint64_t entry);

  Engine& engine_;
  const Job& job_;
  const Workload& workload_;
  std::function<void()> start_clock_;
  std::string value_;
};

}  // namespace kvfs::bench
