// The crash explorer detects mistakes that lose data, accepts code without mistakes, and repeats
// what it found. The code under test here writes a file and then claims that it is safe.

#include "tests/support/crash.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace kvfs {
namespace {

using Kind = CrashChoice::Kind;

// Replaces the contents of "file" such that the old ones stay until the new ones are safe.
struct Replacer {
  bool syncs_file = true;
  bool syncs_directory = true;
  std::string claimed = "old";    // must not be lost
  std::string attempted = "old";  // may be there

  Result<void> Replace(Env& env, const std::string& contents) {
    attempted = contents;
    KVFS_ASSIGN(const auto file, env.CreateFile("new"));
    KVFS_TRY(file->Write(0, AsBytes(contents)));
    if (syncs_file) KVFS_TRY(file->Sync());
    KVFS_TRY(env.RenameFile("new", "file"));
    if (syncs_directory) KVFS_TRY(env.SyncDirectory(""));
    claimed = contents;
    return {};
  }

  void Prepare(Env& env) {
    const auto file = env.CreateFile("file").value();
    ASSERT_TRUE(file->Write(0, AsBytes("old")).has_value());
  }

  void Run(Env& env) {
    claimed = attempted = "old";
    for (const std::string contents : {"first", "second"}) {
      if (!Replace(env, contents)) return;
    }
  }

  void Check(Env& image) const {
    const auto file = image.OpenFile("file");
    ASSERT_TRUE(file.has_value());
    std::string text((*file)->SizeBytes().value(), '?');
    ASSERT_TRUE((*file)->Read(0, std::as_writable_bytes(std::span(text))).has_value());
    EXPECT_TRUE(text == claimed || text == attempted) << text;
  }

  CrashReport Explore() {
    return ExploreCrashes({.prepare = [this](Env& env) { Prepare(env); },
                           .run = [this](Env& env) { Run(env); },
                           .check = [this](Env& image) { Check(image); }});
  }
};

// The explorer's first finding for code with a mistake; empty if there is none.
std::string FirstFailure(Replacer replacer) {
  testing::TestPartResultArray failures;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(&failures);
    replacer.Explore();
  }
  return failures.size() == 0 ? "" : failures.GetTestPartResult(0).message();
}

class ReplayVariable {
 public:
  explicit ReplayVariable(const std::string& value) {
    ::setenv("KVFS_CRASH_REPLAY", value.c_str(), 1);
  }
  ReplayVariable(const ReplayVariable&) = delete;
  ReplayVariable& operator=(const ReplayVariable&) = delete;
  ~ReplayVariable() { ::unsetenv("KVFS_CRASH_REPLAY"); }
};

TEST(ExploreCrashes, CodeThatSyncsInOrderPassesAtEveryStop) {
  const CrashReport report = Replacer().Explore();
  EXPECT_EQ(report.stops, 11U) << "five operations, twice, and the end";
  EXPECT_GT(report.images, 50U);
}

TEST(ExploreCrashes, AForgottenFileSyncIsFound) {
  EXPECT_NE(FirstFailure({.syncs_file = false}).find("KVFS_CRASH_REPLAY="), std::string::npos);
}

TEST(ExploreCrashes, AForgottenDirectorySyncIsFound) {
  EXPECT_NE(FirstFailure({.syncs_directory = false}).find("KVFS_CRASH_REPLAY="), std::string::npos);
}

TEST(ExploreCrashes, TheReplayLineRepeatsTheFailureAlone) {
  const std::string failure = FirstFailure({.syncs_file = false});
  const size_t begin = failure.find("REPLAY=") + std::string_view("REPLAY=").size();
  const ReplayVariable replay(failure.substr(begin, failure.find(' ', begin) - begin));
  EXPECT_EQ(FirstFailure({.syncs_file = false}), failure);
  EXPECT_EQ(Replacer().Explore().images, 1U);
}

TEST(ExploreCrashes, AMalformedReplayLineIsRefused) {
  const ReplayVariable replay("5");
  EXPECT_NONFATAL_FAILURE(Replacer().Explore(), "must look like");
}

TEST(CrashCase, IsReadFromItsText) {
  const auto parsed = ParseCrashCase("17:torn:3");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->stop, 17U);
  EXPECT_EQ(parsed->choice.ToText(), "torn:3");
  for (const char* text : {"", "17", "17:torn", "x:torn:3", "17:odd:3"}) {
    EXPECT_FALSE(ParseCrashCase(text).has_value()) << text;
  }
}

TEST(CrashChoices, EveryPrefixComesUpWhenThereAreFew) {
  std::set<std::string> texts;
  for (const CrashChoice choice : CrashChoices(4, {})) texts.insert(choice.ToText());
  for (const char* text : {"all:0", "none:0", "prefix:1", "prefix:2", "prefix:3", "torn:0"}) {
    EXPECT_TRUE(texts.contains(text)) << text;
  }
}

TEST(CrashChoices, ManyPrefixesAreSampled) {
  const CrashLimits limits{.prefixes = 10, .random_images = 1, .torn_images = 1};
  const auto choices = CrashChoices(1000, limits);
  EXPECT_EQ(choices.size(), 14U);
  EXPECT_LT(choices[2].value, choices[11].value);
  EXPECT_GT(choices[11].value, 900U);
  EXPECT_LT(choices[11].value, 1000U);
}

TEST(CrashChoices, NothingUnsyncedLeavesOneDisk) { EXPECT_EQ(CrashChoices(0, {}).size(), 1U); }

}  // namespace
}  // namespace kvfs
