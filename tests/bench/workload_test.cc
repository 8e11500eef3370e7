// The table of workloads, and the size of each.

#include "bench/workload.h"

#include <gtest/gtest.h>

#include <set>

namespace kvfs::bench {
namespace {

uint64_t Operations(const char* workload, uint64_t entries, uint64_t value_bytes) {
  return OperationsOf(*FindWorkload(workload), {.entries = entries,
                                                .value_bytes = value_bytes,
                                                .max_operations = 1'000'000,
                                                .synced_operations = 4000});
}

TEST(Workloads, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const Workload& workload : Workloads()) {
    EXPECT_TRUE(names.insert(workload.name).second) << workload.name;
    EXPECT_EQ(FindWorkload(workload.name), &workload);
  }
  EXPECT_EQ(FindWorkload("load"), &LoadWorkload());
  EXPECT_EQ(FindWorkload("sleep"), nullptr);
}

TEST(Workloads, ThatOnlyReadShareALoadedStore) {
  for (const Workload& workload : Workloads()) {
    const bool reads = workload.action == Action::kGet || workload.action == Action::kGetAbsent ||
                       workload.action == Action::kScan;
    EXPECT_EQ(workload.start == Start::kLoadedShared, reads) << workload.name;
  }
}

TEST(Workloads, ThatFillOrScanDoAllEntries) {
  for (const char* name : {"fillseq", "fillrandom", "fillbatch", "scan", "compact", "load"}) {
    EXPECT_EQ(Operations(name, 10'000'000, 100), 10'000'000u) << name;
  }
}

TEST(Workloads, OthersAreCapped) {
  EXPECT_EQ(Operations("getwarm", 10'000'000, 100), 1'000'000u);
  EXPECT_EQ(Operations("delete", 500, 100), 500u);
  EXPECT_EQ(Operations("getcold", 10'000'000, 100), 20'000u);
}

TEST(Workloads, SyncedPutsAreSharedByTheThreadsEvenly) {
  EXPECT_EQ(Operations("putsync1", 1000, 100), 4000u);
  EXPECT_EQ(Operations("putsync8", 1000, 100), 4000u);
  EXPECT_EQ(Operations("putsync8", 1000, 1'000'000) % 8, 0u);
  EXPECT_LT(Operations("putsync1", 1000, 1'000'000), 300u);
}

TEST(Workloads, BatchesAreOfAThousandUnlessTheyBecomeTooLarge) {
  EXPECT_EQ(BatchEntries(16), 1000u);
  EXPECT_EQ(BatchEntries(1000), 1000u);
  EXPECT_EQ(BatchEntries(10'000), 314u);
  EXPECT_EQ(BatchEntries(1'000'000), 3u);
  EXPECT_EQ(BatchEntries(100'000'000), 1u);
}

TEST(Workloads, DataSetsStayBelowTheLimit) {
  EXPECT_EQ(CappedEntries(1'000'000, 100, uint64_t{2} << 30), 1'000'000u);
  EXPECT_EQ(CappedEntries(1'000'000, 984, 1'000'000), 1000u);
  EXPECT_EQ(CappedEntries(1'000'000, 1'000'000, 1000), 1u);
}

}  // namespace
}  // namespace kvfs::bench
