// Crash testing by exhaustion: runs a scenario with the power failing at its first change of the
// disk, its second, its third, …, and checks every disk that each failure may leave.
//
//   ExploreCrashes({.run = [&](Env& env) { ... }, .check = [&](Env& image) { ... }});
//
// The scenario must do the same each time it runs (no threads that race, no clock); it meets an
// error when the power fails, and just ends. What it acknowledged it records for `check`, which
// gets each image as a fresh disk: open it, read, compare, write on. Both use gtest's EXPECT_*.
//
// A failure is traced with a line like
//   KVFS_CRASH_REPLAY=17:torn:3   (power fails at Write store/log-1 4096+512)
// Set in the environment, it runs that one case alone: stop 17, image "torn", seed 3.
//
// This knows Env only, nothing of what lies on the disk.
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
  // Prepares a disk on which power does not fail, then made durable as a whole. May be empty.
  std::function<void(Env& env)> prepare = {};
  // Runs with power failing. To forget what the run before acknowledged, start by clearing it.
  std::function<void(Env& env)> run;
  // Looks at one image; called many times for one run.
  std::function<void(Env& image)> check;
};

struct CrashLimits {
  // Prefixes of the unsynced operations: each, up to this number; above it, so many spread evenly.
  uint64_t prefixes = 24;
  // Seeded subsets of whole operations, and of sectors, for each stop.
  uint64_t random_images = 6;
  uint64_t torn_images = 6;
  // Every how many operations the power fails: 1 for each.
  uint64_t stride = 1;
};

// What was explored, so that a test can tell that it did explore something.
struct CrashReport {
  uint64_t stops = 0;
  uint64_t images = 0;
};

// Runs the scenario for every stop and image, or for the one that KVFS_CRASH_REPLAY names. Ends
// early when a check fails, since one failure is enough to look at. The last stop lies behind the
// scenario's end: there the disk fails after everything went well.
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
