// JSON objects whose members are named as the fields are.
#include "bench/measurement.h"

#include <nlohmann/json.hpp>

namespace kvfs::bench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Job, engine, workload, directory, entries, value_bytes,
                                   operations, real_time, seed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Measurement, engine, workload, entries, value_bytes, repetition,
                                   failure, operations, seconds, cpu_seconds, disk_bytes,
                                   written_bytes, memory_bytes, resident_bytes)

namespace {

template <typename T>
std::optional<T> From(std::string_view json) {
  try {
    return nlohmann::json::parse(json).get<T>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string ToJson(const Job& job) { return nlohmann::json(job).dump(); }
std::string ToJson(const Measurement& measurement) { return nlohmann::json(measurement).dump(); }
std::optional<Job> JobFrom(std::string_view json) { return From<Job>(json); }
std::optional<Measurement> MeasurementFrom(std::string_view json) {
  return From<Measurement>(json);
}

}  // namespace kvfs::bench
