// The options of the command line.

#include "bench/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvfs::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kEngines[] = {"kvfs", "lmdb", "sqlite"};
constexpr std::string_view kWorkloads[] = {"fillseq", "scan"};

tl::expected<Options, Refusal> Parse(std::vector<std::string> arguments) {
  return ParseOptions(std::move(arguments), kEngines, kWorkloads);
}

Options Parsed(std::vector<std::string> arguments) {
  auto options = Parse(std::move(arguments));
  if (options) return *options;
  ADD_FAILURE() << options.error().text;
  return {};
}

void ExpectRefused(std::vector<std::string> arguments, const std::string& named) {
  const auto options = Parse(std::move(arguments));
  ASSERT_FALSE(options) << named;
  EXPECT_TRUE(options.error().is_error);
  EXPECT_THAT(options.error().text, HasSubstr(named));
}

TEST(Options, WithoutAnyEverythingIsMeasuredAtOneSize) {
  const Options options = Parsed({});
  EXPECT_THAT(options.engines, ElementsAre("kvfs", "lmdb", "sqlite"));
  EXPECT_THAT(options.workloads, ElementsAre("fillseq", "scan"));
  EXPECT_THAT(options.entries, ElementsAre(1'000'000));
  EXPECT_THAT(options.value_bytes, ElementsAre(100));
}

TEST(Options, ChosenEnginesKeepTheOrderOfTheTableAndKvfsIsAmongThem) {
  EXPECT_THAT(Parsed({"--engines", "sqlite,lmdb"}).engines, ElementsAre("kvfs", "lmdb", "sqlite"));
  EXPECT_THAT(Parsed({"--engines", "kvfs"}).engines, ElementsAre("kvfs"));
  EXPECT_THAT(Parsed({"--workloads", "scan"}).workloads, ElementsAre("scan"));
}

TEST(Options, SizesAreListsOfQuantities) {
  const Options options = Parsed({"--entries", "1M,10M", "--value-bytes=16,100,1k", "--repeat=5"});
  EXPECT_THAT(options.entries, ElementsAre(1'000'000, 10'000'000));
  EXPECT_THAT(options.value_bytes, ElementsAre(16, 100, 1000));
  EXPECT_EQ(options.repeat, 5u);
  EXPECT_EQ(Parsed({"--data-limit", "4Gi"}).data_limit_bytes, uint64_t{4} << 30);
}

TEST(Options, PlacesAreTakenAsTheyAre) {
  const Options options =
      Parsed({"--directory", "/mnt/disk", "--json", "raw.jsonl", "--report", "a", "b"});
  EXPECT_FALSE(options.real_time);
  EXPECT_TRUE(Parsed({"--real-time"}).real_time);
  EXPECT_EQ(options.directory, "/mnt/disk");
  EXPECT_EQ(options.json, "raw.jsonl");
  EXPECT_THAT(options.report, ElementsAre("a", "b"));
}

TEST(Options, WhatDoesNotExistIsRefusedByName) {
  ExpectRefused({"--engines", "lmdb,oracle"}, "there is no engine oracle; there are kvfs, lmdb");
  ExpectRefused({"--workloads", "sleep"}, "there is no workload sleep");
  ExpectRefused({"--colour"}, "--colour");
}

TEST(Options, SizesThatMakeNoSenseAreRefused) {
  ExpectRefused({"--entries", "many"}, "\"many\" is no number");
  ExpectRefused({"--entries", "0"}, "too small");
  ExpectRefused({"--value-bytes", "100,7"}, "at least 8");
  ExpectRefused({"--repeat", "0"}, "too small");
}

TEST(Options, HelpIsNoError) {
  const auto options = Parse({"--help"});
  ASSERT_FALSE(options);
  EXPECT_FALSE(options.error().is_error);
  EXPECT_THAT(options.error().text, HasSubstr("--value-bytes"));
}

}  // namespace
}  // namespace kvfs::bench
