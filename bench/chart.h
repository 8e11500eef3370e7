// The times of a run as a picture: SVG that a page can show, readable on light and dark ground.
#pragma once

#include <string>

#include "bench/summary.h"

namespace kvfs::bench {

// For each data set a part with a bar for each workload and engine: microseconds an operation, on a
// logarithmic scale that all bars of the part share. Workloads without a figure are left out.
std::string Chart(const Summary& summary);

}  // namespace kvfs::bench
