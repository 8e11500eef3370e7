// The arguments that mount(8) passes to its helper, and the codes that it expects.

#include "cli/commands/mount_helper.h"

#include <gtest/gtest.h>

#include "cli/mounts/mount_options.h"

namespace kvfs::cli {
namespace {

TEST(MountHelper, ReadsWhatMountGives) {
  const auto helper = ParseHelperArguments({"/s", "/m", "-n", "-v", "-o", "rw,_netdev", "-s"});
  ASSERT_TRUE(helper);
  EXPECT_EQ(helper->mount.store, "/s");
  EXPECT_EQ(helper->mount.mount_point, "/m");
  EXPECT_EQ(helper->mount.options, std::vector<std::string>{"rw,_netdev"});
  EXPECT_FALSE(helper->fake);
  EXPECT_FALSE(helper->mount.foreground);
}

TEST(MountHelper, FMeansFakeHere) {
  const auto helper = ParseHelperArguments({"/s", "/m", "-f"});
  ASSERT_TRUE(helper);
  EXPECT_TRUE(helper->fake);
  EXPECT_FALSE(helper->mount.foreground);
}

TEST(MountHelper, TakesNamespaceAndTypeWithTheirValues) {
  EXPECT_TRUE(ParseHelperArguments({"/s", "/m", "-N", "7", "-t", "fuse.kvfs"}));
}

TEST(MountHelper, RefusesOtherNumbersOfPlaces) {
  EXPECT_FALSE(ParseHelperArguments({}));
  EXPECT_FALSE(ParseHelperArguments({"/s"}));
  EXPECT_FALSE(ParseHelperArguments({"/s", "/m", "/x"}));
}

TEST(MountHelper, RefusesAnUnknownOptionByName) {
  const auto helper = ParseHelperArguments({"/s", "/m", "--frob"});
  ASSERT_FALSE(helper);
  EXPECT_NE(helper.error().text.find("--frob"), std::string::npos);
}

TEST(MountHelper, SpeaksMountsExitCodes) {
  EXPECT_EQ(MountExitCode(ExitCode::kOk), 0);
  EXPECT_EQ(MountExitCode(ExitCode::kUsage), 1);
  EXPECT_EQ(MountExitCode(ExitCode::kIoFailed), 2);
  EXPECT_EQ(MountExitCode(ExitCode::kNoStore), 32);
  EXPECT_EQ(MountExitCode(ExitCode::kMountFailed), 32);
}

}  // namespace
}  // namespace kvfs::cli
