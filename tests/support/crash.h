// Exhaustive crash testing: runs a scenario with the power failing at its first change of the disk,
// its second, its third, …, and checks every disk that each failure may leave.
//
//   ExploreCrashes({.run = [&](Env& env) { ... }, .check = [&](Env& image) { ... }});
//
// The scenario must be repeatable (no races between threads, no clock); it gets an error when the
// power fails, and just ends. It records what was acknowledged for `check`, which gets each image
// as a new disk: open it, read, compare, continue to write. Both use gtest's EXPECT_*.
//
// A failure is reported with a line like
//   KVFS_CRASH_REPLAY=17:torn:3   (power fails at Write store/log-1 4096+512)
// If this is set in the environment, only that case is run: stop 17, image "torn", seed 3.
//
// This uses only Env, and knows nothing about the data on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/env.h>
#include "store/env/crash_image.h"
#include "store/env/memory_env.h"

namespace kvfs {

struct CrashScenario {
  // Prepares a disk without power failures, which is then made durable. May be empty.
  std::function<void(Env& env)> prepare = {};
  // Runs with power failing. Must begin by discarding what the previous run acknowledged.
  std::function<void(Env& env)> run;
  // Checks one image; called many times for one run.
  std::function<void(Env& image)> check;
};

struct CrashLimits {
  // Prefixes of the unsynced operations: all, up to this number; above it, this many, evenly
  // spaced.
  uint64_t prefixes = 24;
  // Random subsets of whole operations, and of sectors, for each stop.
  uint64_t random_images = 6;
  uint64_t torn_images = 6;
  // The power fails at one in this many operations: 1 means at each.
  uint64_t stride = 1;
};

// How much was explored, so that a test can verify that something was.
struct CrashReport {
  uint64_t stops = 0;
  uint64_t images = 0;
};

// Runs the scenario for every stop and image, or for the one that KVFS_CRASH_REPLAY names. Ends
// early when a check fails, since one failure is enough. The last stop is after the scenario's end:
// there the disk fails after everything has succeeded.
CrashReport ExploreCrashes(const CrashScenario& scenario, const CrashLimits& limits = {});

// The stop and the image of a replay line, as in "17:torn:3"; nothing if it is malformed.
struct CrashCase {
  uint64_t stop = 0;
  CrashChoice choice = {};
};
std::optional<CrashCase> ParseCrashCase(std::string_view text);

// The images to check where `unsynced` operations may be lost.
std::vector<CrashChoice> CrashChoices(uint64_t unsynced, const CrashLimits& limits);

}  // namespace kvfs
