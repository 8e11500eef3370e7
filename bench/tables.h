// The figures of a run as Markdown.
#pragma once

#include <string>

#include "bench/summary.h"

namespace kvfs::bench {

// Time: a row a workload, a column an engine. Microseconds an operation for kvfs; for the others
// how many times that they take, so "1.9x" says that kvfs is 1.9 times as fast. Where kvfs has no
// figure, the others' are microseconds.
std::string TimesTable(const Summary& summary, const DataSet& data_set);
// Bytes on disk an entry, bytes written per byte put, memory.
std::string SpaceTable(const Summary& summary, const DataSet& data_set);
std::string TargetsTable(const Summary& summary, const DataSet& data_set);

// All three for each data set, with headings, and why figures are missing.
std::string Report(const Summary& summary);

}  // namespace kvfs::bench
