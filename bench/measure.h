// One measurement: what a process of the benchmark does that was started for a job.
#pragma once

#include "bench/measurement.h"

namespace kvfs::bench {

// Opens the job's engine in the job's directory, carries the workload out, closes. Ends the process
// on any failure.
Measurement Measure(const Job& job);

}  // namespace kvfs::bench
