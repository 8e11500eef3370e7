// Every fuzz target with its seeds, with the inputs found by fuzzing (found.h), and with some
// thousand mutations of the seeds: the same ones in each run.
//
// A crash is preceded by a line like
//   KVFS_FUZZ_REPLAY=leaf:1234
// If this is set in the environment, only that input is run.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/found.h"
#include "tests/fuzz/mutations.h"
#include "tests/fuzz/target.h"

// A sanitizer calls this before it ends the program.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace kvfs::fuzz {
namespace {

struct Case {
  const Target* target = nullptr;
  uint64_t number = 0;
} g_running;

void TellRunning() {
  if (g_running.target == nullptr) return;
  std::fprintf(stderr, "KVFS_FUZZ_REPLAY=%s:%llu\n", std::string(g_running.target->name).c_str(),
               static_cast<unsigned long long>(g_running.number));
}

void TellAndDie(int signal) {
  TellRunning();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void TellWhatRunsAtDeath() {
  std::signal(SIGABRT, TellAndDie);
  if (__sanitizer_set_death_callback != nullptr) return __sanitizer_set_death_callback(TellRunning);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, TellAndDie);
}

class RegressionTest : public testing::TestWithParam<const Target*> {
 protected:
  RegressionTest() : target_(*GetParam()), seeds_(target_.seeds()) {
    const auto found = FoundInputs(target_.name);
    seeds_.insert(seeds_.end(), found.begin(), found.end());
    TellWhatRunsAtDeath();
  }
  ~RegressionTest() override { g_running = {}; }

  // The seeds, then their mutations.
  void Run(uint64_t number) {
    g_running = {&target_, number};
    if (number < seeds_.size()) return target_.run(seeds_[number]);
    Mutations mutations(number);
    target_.run(mutations.Of(seeds_[mutations.Below(seeds_.size())]));
  }

  const Target& target_;
  std::vector<Input> seeds_;
};

TEST_P(RegressionTest, KeepsItsPromisesOnSeedsAndChangesOfThem) {
  const std::string name(target_.name);
  if (const char* replay = std::getenv("KVFS_FUZZ_REPLAY")) {
    const std::string_view text = replay;
    if (text.starts_with(name + ":")) Run(std::strtoull(replay + name.size() + 1, nullptr, 10));
    return;
  }
  const uint64_t cases = seeds_.size() + static_cast<uint64_t>(target_.mutations);
  for (uint64_t number = 0; number < cases; ++number) Run(number);
}

INSTANTIATE_TEST_SUITE_P(Targets, RegressionTest,
                         testing::ValuesIn(AllTargets().begin(), AllTargets().end()),
                         [](const testing::TestParamInfo<const Target*>& target) {
                           return std::string(target.param->name);
                         });

}  // namespace
}  // namespace kvfs::fuzz
