// What may stand after -o.

#include "cli/mount_options.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

MountChoices Parsed(const std::vector<std::string>& texts) {
  const auto choices = ParseMountOptions(texts);
  if (choices) return *choices;
  ADD_FAILURE() << choices.error().text;
  return {};
}

void ExpectRefused(const std::string& text, const std::string& named) {
  const auto choices = ParseMountOptions({text});
  ASSERT_FALSE(choices) << text;
  EXPECT_EQ(choices.error().code, ExitCode::kUsage);
  EXPECT_NE(choices.error().text.find(named), std::string::npos) << choices.error().text;
}

TEST(MountOptions, NoneMeansTheDefaults) {
  EXPECT_EQ(Parsed({}), MountChoices{});
  EXPECT_EQ(Parsed({"", ",", ",,"}), MountChoices{});
}

TEST(MountOptions, SetsEachChoice) {
  const MountChoices choices = Parsed({"ro,allow_other,nonempty,debug,threads=4,fsname=kv"});
  EXPECT_TRUE(choices.read_only);
  EXPECT_TRUE(choices.allow_other);
  EXPECT_TRUE(choices.nonempty);
  EXPECT_TRUE(choices.debug);
  EXPECT_EQ(choices.threads, 4u);
  EXPECT_EQ(choices.source, "kv");
}

TEST(MountOptions, SetsWhatTheFileSystemOffers) {
  const MountChoices choices = Parsed({"noxattr,acl,writeback"});
  EXPECT_FALSE(choices.extended_attributes);
  EXPECT_TRUE(Parsed({"noxattr,xattr"}).extended_attributes);
  EXPECT_TRUE(choices.access_lists);
  EXPECT_TRUE(choices.writeback);
}

TEST(MountOptions, LaterWins) {
  EXPECT_FALSE(Parsed({"ro,rw"}).read_only);
  EXPECT_TRUE(Parsed({"rw", "ro"}).read_only);
  EXPECT_EQ(Parsed({"threads=2,threads=3"}).threads, 3u);
}

TEST(MountOptions, HandsTheKernelItsFlagsInOrder) {
  const std::vector<std::string> expected = {"dev", "nosuid", "noexec", "noatime"};
  EXPECT_EQ(Parsed({"dev,nosuid", "noexec,noatime"}).kernel, expected);
}

TEST(MountOptions, DropsWhatIsForOthers) {
  EXPECT_EQ(Parsed({"auto,noauto,user,users,owner,group,defaults,_netdev,nofail,user=joe,"
                    "x-systemd.automount,x-gvfs-name=a b,comment=mine,uhelper=udisks2"}),
            MountChoices{});
}

TEST(MountOptions, EscapedCommaBelongsToTheValue) {
  EXPECT_EQ(Parsed({R"(fsname=/a\,b\\c,ro)"}).source, R"(/a,b\c)");
  EXPECT_EQ(Parsed({"fsname=a\\"}).source, "a\\");
}

TEST(MountOptions, RefusesTheUnknownByName) {
  ExpectRefused("ro,frobnicate", "frobnicate");
  ExpectRefused("threads", "threads");
  ExpectRefused("ro=1", "ro=1");
  ExpectRefused("fsname=", "fsname=");
  ExpectRefused("allow_root", "allow_root");
  ExpectRefused("remount,ro", "remount");
  ExpectRefused(" ro", " ro");
}

TEST(MountOptions, RefusesNumbersOfThreadsThatMakeNoSense) {
  for (const char* value : {"", "0", "-1", "257", "4x", "99999999999999999999", "two", " 2"}) {
    ExpectRefused(std::string("threads=") + value, "threads=");
  }
}

}  // namespace
}  // namespace kvfs::cli
