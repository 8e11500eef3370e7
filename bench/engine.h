// What the workloads ask of an embedded store: one adapter per engine, each in a file of its own.
//
// An adapter is opened in a directory that exists, creates the store where there is none, and
// configures it as the engine's own documentation advises for what EngineOptions say of the
// workload (docs/benchmarks.md names the sources). What fails ends the process: see bench/stop.h.
//
// Threads: Put may be called by several at once where the workload is synced; everything else by
// the thread that opened the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bench/workload.h"

namespace kvfs::bench {

struct EngineOptions {
  std::string directory;
  Durability durability = Durability::kHandedOver;  // of each change that has returned
  uint64_t entries = 0;                             // that the store will hold
  uint64_t value_bytes = 0;                         // of each
  uint64_t operations = 0;                          // that the workload will do
  bool ascending = false;                           // puts come in the order of their keys
};

// Memory for what engines keep beside the kernel's page cache, the same for all that have such a
// setting: changes that wait to be merged (kvfs: half of its default limit) and cached blocks.
inline constexpr uint64_t kWriteBufferBytes = uint64_t{128} << 20;
// All of the data set, and what blocks add to it: a warm cache misses nothing.
constexpr uint64_t CacheBytes(const EngineOptions& options) {
  return (options.entries * (options.value_bytes + 64) * 3 / 2) + (uint64_t{64} << 20);
}

struct Pair {
  std::string_view key;
  std::string_view value;
};

// Both are valid during the visit only.
using ScanVisitor = std::function<void(std::string_view key, std::string_view value)>;

class Engine {
 public:
  virtual ~Engine() = default;

  virtual void Put(std::string_view key, std::string_view value) = 0;
  // All of them or none.
  virtual void PutBatch(std::span<const Pair> pairs);
  // Copies the value into the caller's string, whose memory is kept. False: absent.
  virtual bool Get(std::string_view key, std::string* value);
  // The key is there.
  virtual void Delete(std::string_view key);
  // Visits all entries, in whatever order is fastest.
  virtual void Scan(const ScanVisitor& visit);
  // Makes the store as small as the engine can.
  virtual void Compact();
  // As a program does that ends; the next opening has as little to recover as can be.
  virtual void Close() = 0;
};

struct EngineKind {
  std::string_view name;
  std::unique_ptr<Engine> (*open)(const EngineOptions& options);
};

// In the order of the tables' columns; kvfs is the first.
std::span<const EngineKind> Engines();

// Whether the engine can be asked for the workload at all.
bool CanRun(std::string_view engine, const Workload& workload);

}  // namespace kvfs::bench
