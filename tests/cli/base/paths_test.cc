// Comparison of paths as trees, and checks that mount point and store are separate.

#include "cli/base/paths.h"

#include <gtest/gtest.h>

#include "cli/mounts/mount_point.h"

namespace kvfs::cli {
namespace {

TEST(IsWithin, ComparesWholeComponents) {
  EXPECT_TRUE(IsWithin("/a", "/a"));
  EXPECT_TRUE(IsWithin("/a/b", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/"));
  EXPECT_FALSE(IsWithin("/ab", "/a"));
  EXPECT_FALSE(IsWithin("/a", "/a/b"));
}

TEST(CheckApart, RefusesOneInTheOther) {
  EXPECT_TRUE(CheckApart("/mnt/kv", "/srv/store"));
  EXPECT_TRUE(CheckApart("/srv/store2", "/srv/store"));
  for (const auto& [mount_point, store] : {std::pair("/s", "/s"), std::pair("/s/in", "/s"),
                                           std::pair("/m", "/m/store"), std::pair("/", "/s")}) {
    const CommandResult<> outcome = CheckApart(mount_point, store);
    ASSERT_FALSE(outcome) << mount_point << " " << store;
    EXPECT_EQ(outcome.error().code, ExitCode::kMountPointBad);
  }
}

TEST(ResolvePath, AllButTheLastComponentMustBeThere) {
  EXPECT_EQ(*ResolvePath("/proc/../nowhere"), "/nowhere");
  EXPECT_EQ(*ResolvePath("/proc//nowhere//"), "/proc/nowhere");
  EXPECT_EQ(ResolvePath("/nowhere/at/all").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ResolvePath("/nowhere/..").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ResolvePath("").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kvfs::cli
