// What a store counts, one row a number: its name wherever it is shown, and what it means. The
// statistics of a mount, `kvfs stats` and the metrics come from this one table.
#pragma once

#include <cstdint>
#include <span>

#include <kvfs/store.h>

namespace kvfs::fs {

struct Statistic {
  enum class Kind { kGauge, kCounter };  // may it fall?

  const char* name;  // ends with its unit, if it has one
  const char* meaning;
  Kind kind;
  uint64_t StoreStats::*value;
};

std::span<const Statistic> Statistics();

}  // namespace kvfs::fs
