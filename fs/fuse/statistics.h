// A store's statistics, one row for each: the name, wherever it is shown, and the meaning. The
// statistics of a mount, `kvfs stats` and the metrics come from this one table.
#pragma once

#include <cstdint>
#include <span>

#include <kvfs/store.h>

namespace kvfs::fs {

struct Statistic {
  enum class Kind { kGauge, kCounter };  // a gauge may fall, a counter only grows

  const char* name;  // ends with the unit, if any
  const char* meaning;
  Kind kind;
  uint64_t StoreStats::*value;
};

std::span<const Statistic> Statistics();

}  // namespace kvfs::fs
