// The loops over stops and over images, and the line that repeats one iteration.

#include "tests/support/crash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>

namespace kvfs {
namespace {

using Kind = CrashChoice::Kind;

class Explorer {
 public:
  Explorer(const CrashScenario& scenario, const CrashLimits& limits)
      : scenario_(scenario), limits_(limits) {}

  CrashReport ExploreAll() {
    bool is_over = false;
    for (uint64_t stop = 1; !is_over && !testing::Test::HasFailure(); stop += limits_.stride) {
      const auto env = RunUntil(stop);
      is_over = !env->HasPowerFailed();
      for (const CrashChoice choice : CrashChoices(env->UnsyncedCount(), limits_)) {
        if (testing::Test::HasFailure()) break;
        Check(*env, {stop, choice});
      }
      ++report_.stops;
    }
    return report_;
  }

  CrashReport ExploreOne(const CrashCase& replayed) {
    const auto env = RunUntil(replayed.stop);
    Check(*env, replayed);
    return {.stops = 1, .images = 1};
  }

 private:
  // The disk after the scenario has run until its change number `stop`.
  std::unique_ptr<MemoryEnv> RunUntil(uint64_t stop) {
    auto env = std::make_unique<MemoryEnv>();
    if (scenario_.prepare) {
      scenario_.prepare(*env);
      env = env->CrashImage({Kind::kAll, 0});
    }
    env->FailPowerAt(stop);
    scenario_.run(*env);
    return env;
  }

  void Check(const MemoryEnv& env, const CrashCase& examined) {
    SCOPED_TRACE(ReplayLine(env, examined));
    ++report_.images;
    scenario_.check(*env.CrashImage(examined.choice));
  }

  static std::string ReplayLine(const MemoryEnv& env, const CrashCase& examined) {
    const std::string line =
        "KVFS_CRASH_REPLAY=" + std::to_string(examined.stop) + ":" + examined.choice.ToText();
    if (!env.HasPowerFailed()) return line + "   (power fails after the end)";
    return line + "   (power fails at " + DescribeOperation(env.Journal().back()) + ")";
  }

  const CrashScenario& scenario_;
  const CrashLimits& limits_;
  CrashReport report_;
};

}  // namespace

CrashReport ExploreCrashes(const CrashScenario& scenario, const CrashLimits& limits) {
  Explorer explorer(scenario, limits);
  const char* replay = std::getenv("KVFS_CRASH_REPLAY");
  if (replay == nullptr) return explorer.ExploreAll();
  const auto replayed = ParseCrashCase(replay);
  if (replayed) return explorer.ExploreOne(*replayed);
  ADD_FAILURE() << "KVFS_CRASH_REPLAY must look like 17:torn:3, not " << replay;
  return {};
}

std::optional<CrashCase> ParseCrashCase(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto choice = CrashChoice::FromText(text.substr(colon + 1));
  CrashCase parsed;
  const auto number = std::from_chars(text.data(), text.data() + colon, parsed.stop);
  if (!choice || number.ec != std::errc() || number.ptr != text.data() + colon) return std::nullopt;
  parsed.choice = *choice;
  return parsed;
}

std::vector<CrashChoice> CrashChoices(uint64_t unsynced, const CrashLimits& limits) {
  if (unsynced == 0) return {{Kind::kNone, 0}};  // nothing can be lost: there is only one image
  std::vector<CrashChoice> choices = {{Kind::kAll, 0}, {Kind::kNone, 0}};
  const uint64_t prefixes = std::min(unsynced - 1, limits.prefixes);  // except none and all
  for (uint64_t index = 1; index <= prefixes; ++index) {
    choices.push_back({Kind::kPrefix, index * unsynced / (prefixes + 1)});
  }
  for (uint64_t seed = 0; seed < limits.random_images; ++seed) {
    choices.push_back({Kind::kRandom, seed});
  }
  for (uint64_t seed = 0; seed < limits.torn_images; ++seed) {
    choices.push_back({Kind::kTorn, seed});
  }
  return choices;
}

}  // namespace kvfs
