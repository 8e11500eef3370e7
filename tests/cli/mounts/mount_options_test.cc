// What may stand after -o.

#include "cli/mounts/mount_options.h"

#include <gtest/gtest.h>

#include "cli/mounts/mount_option_table.h"

namespace kvfs::cli {
namespace {

fs::MountOptions Parsed(const std::vector<std::string>& texts) {
  const auto options = ParseMountOptions(texts);
  if (options) return *options;
  ADD_FAILURE() << options.error().text;
  return {};
}

void ExpectRefused(const std::string& text, const std::string& named) {
  const auto options = ParseMountOptions({text});
  ASSERT_FALSE(options) << text;
  EXPECT_EQ(options.error().code, ExitCode::kUsage);
  EXPECT_NE(options.error().text.find(named), std::string::npos) << options.error().text;
}

TEST(MountOptions, NoneMeansTheDefaults) {
  EXPECT_EQ(Parsed({}), fs::MountOptions{});
  EXPECT_EQ(Parsed({"", ",", ",,"}), fs::MountOptions{});
}

TEST(MountOptions, SetsEachOption) {
  const fs::MountOptions options = Parsed({"ro,allow_other,nonempty,debug,threads=4,fsname=kv"});
  EXPECT_TRUE(options.read_only);
  EXPECT_TRUE(options.allow_other);
  EXPECT_TRUE(options.nonempty);
  EXPECT_TRUE(options.debug);
  EXPECT_EQ(options.threads, 4u);
  EXPECT_EQ(options.source, "kv");
}

TEST(MountOptions, SetsWhatTheFileSystemOffers) {
  const fs::MountOptions options = Parsed({"noxattr,acl,writeback,readdir32"});
  EXPECT_FALSE(options.extended_attributes);
  EXPECT_TRUE(options.short_offsets);
  EXPECT_TRUE(Parsed({"noxattr,xattr"}).extended_attributes);
  EXPECT_TRUE(options.access_lists);
  EXPECT_TRUE(options.writeback);
}

TEST(MountOptions, OwnerAndPermissionsCanBeShown) {
  const fs::ShownOwner shown = Parsed({"uid=1000,gid=0,umask=027"}).shown;
  EXPECT_EQ(shown.uid, 1000u);
  EXPECT_EQ(shown.gid, 0u);
  EXPECT_EQ(shown.umask, 027u);
  EXPECT_FALSE(Parsed({"ro"}).shown.IsAny());
  EXPECT_EQ(Parsed({"uid=4294967294"}).shown.uid, 4294967294u);
  EXPECT_EQ(Parsed({"umask=0"}).shown.umask, 0u);
}

TEST(MountOptions, RefusesIdsAndMasksThatMakeNoSense) {
  for (const char* value : {"", "-1", "4294967295", "me", "0x10", "1 "}) {
    ExpectRefused(std::string("uid=") + value, "uid=");
    ExpectRefused(std::string("gid=") + value, "gid=");
  }
  for (const char* value : {"", "8", "1000", "-1", "u=rw", "0o22"}) {
    ExpectRefused(std::string("umask=") + value, "octal number from 0 to 777");
  }
}

TEST(MountOptions, AccessListsAndAShownOwnerContradictEachOther) {
  ExpectRefused("acl,uid=5", "acl");
  ExpectRefused("umask=077,acl", "umask");
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
            fs::MountOptions{});
}

TEST(MountOptions, EscapedCommaBelongsToTheValue) {
  EXPECT_EQ(Parsed({R"(fsname=/a\,b\\c,ro)"}).source, R"(/a,b\c)");
  EXPECT_EQ(Parsed({"fsname=a\\"}).source, "a\\");
}

TEST(MountOptions, ACommaInQuotesBelongsToTheValue) {
  EXPECT_EQ(Parsed({R"(fsname="a,b",ro)"}).source, "a,b");
  EXPECT_TRUE(Parsed({R"(fsname="a,b",ro)"}).read_only);
  EXPECT_EQ(Parsed({R"(context="u:object_r:t:s0:c1,c2")"}).kernel,
            std::vector<std::string>{R"(context="u:object_r:t:s0:c1,c2")"});
}

TEST(MountOptions, PassesOverTheUnknownIfAsked) {
  const auto options = ParseMountOptions({"ro,frobnicate,a=b"}, UnknownOptions::kPassOver);
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->read_only);
  EXPECT_FALSE(ParseMountOptions({"uid=me"}, UnknownOptions::kPassOver));
}

// What mount(8) calls independent of the file system: accepted, or refused with a reason.
TEST(MountOptions, KnowsEachOptionThatMountKnows) {
  for (const char* option : {"async",
                             "atime",
                             "noatime",
                             "auto",
                             "noauto",
                             "context=u:r:t:s0",
                             "fscontext=u:r:t:s0",
                             "defcontext=u:r:t:s0",
                             "rootcontext=u:r:t:s0",
                             "defaults",
                             "dev",
                             "nodev",
                             "diratime",
                             "nodiratime",
                             "dirsync",
                             "exec",
                             "noexec",
                             "group",
                             "iversion",
                             "noiversion",
                             "nomand",
                             "_netdev",
                             "nofail",
                             "relatime",
                             "norelatime",
                             "nostrictatime",
                             "lazytime",
                             "nolazytime",
                             "suid",
                             "nosuid",
                             "silent",
                             "loud",
                             "owner",
                             "ro",
                             "rw",
                             "sync",
                             "user",
                             "user=me",
                             "nouser",
                             "users",
                             "X-mount.mkdir=0755",
                             "X-mount.owner=me",
                             "x-systemd.automount",
                             "x-gvfs-hide",
                             "comment=mine"}) {
    EXPECT_TRUE(ParseMountOptions({option})) << option;
  }
  EXPECT_TRUE(Parsed({"remount,ro"}).remount);
  ExpectRefused("mand", "no mandatory locks");
  ExpectRefused("strictatime", "never changes access times");
  ExpectRefused("nosymfollow", "remount,bind,nosymfollow");
}

TEST(MountOptions, RefusesTheUnknownByName) {
  ExpectRefused("ro,frobnicate", "frobnicate");
  ExpectRefused("threads", "threads");
  ExpectRefused("ro=1", "ro=1");
  ExpectRefused("fsname=", "fsname=");
  ExpectRefused("allow_root", "allow_root");
  ExpectRefused(" ro", " ro");
}

TEST(MountOptions, RefusesNumbersOfThreadsThatMakeNoSense) {
  for (const char* value : {"", "0", "-1", "257", "4x", "99999999999999999999", "two", " 2"}) {
    ExpectRefused(std::string("threads=") + value, "threads=");
  }
}

// An example of each option that is no default.
std::string ExampleOf(const MountOption& option) {
  if (option.value.empty()) return std::string(option.name);
  return std::string(option.name) + (option.value == "NAME" ? "=other" : "=7");
}

TEST(MountOptions, ARemountNamesTheOptionThatIsFixed) {
  for (const MountOption& option : MountOptionTable()) {
    const fs::MountOptions wanted = Parsed({ExampleOf(option)});
    // What an option asks for that is the default anyway is no difference.
    const bool is_fixed = !option.is_changeable && wanted != fs::MountOptions{};
    EXPECT_EQ(FixedOptionThatDiffers({}, wanted), is_fixed ? option.name : "") << option.name;
    EXPECT_EQ(FixedOptionThatDiffers(wanted, wanted), "") << option.name;
  }
  EXPECT_EQ(FixedOptionThatDiffers(Parsed({"noxattr"}), {}), "xattr");
  EXPECT_EQ(FixedOptionThatDiffers(Parsed({"nocontrol"}), {}), "control");
  EXPECT_EQ(FixedOptionThatDiffers(Parsed({"ro"}), {}), "");
}

TEST(MountOptions, AnOptionHasAValueOrNone) {
  for (const MountOption& option : MountOptionTable()) {
    const std::string name(option.name);
    ExpectRefused(option.value.empty() ? name + "=1" : name, name);
  }
}

}  // namespace
}  // namespace kvfs::cli
