// The mount table, as the kernel writes it, and malformed.

#include "cli/mounts/mount_table.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

constexpr char kKvfsLine[] = "36 35 0:51 / /mnt/kv rw,nosuid - fuse.kvfs /srv/store rw,user_id=0\n";

TEST(MountTable, ReadsMountPointTypeAndSource) {
  const std::vector<MountEntry> expected = {{"/mnt/kv", "fuse.kvfs", "/srv/store", false, 51}};
  EXPECT_EQ(ParseMountTable(kKvfsLine), expected);
}

TEST(MountTable, SkipsAnyNumberOfOptionalFields) {
  const auto table = ParseMountTable(
      "1 2 0:3 / /a rw shared:1 master:2 propagate_from:3 unbindable - ext4 /dev/sda1 rw\n"
      "1 2 0:3 / /b rw - tmpfs none rw\n");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table[0], (MountEntry{"/a", "ext4", "/dev/sda1", false, 3}));
  EXPECT_EQ(table[1], (MountEntry{"/b", "tmpfs", "none", false, 3}));
}

TEST(MountTable, UnescapesEveryField) {
  const auto table = ParseMountTable(R"(1 2 0:3 / /a\040b\011c rw - fuse.kvfs /s\134t\012u rw)");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0], (MountEntry{"/a b\tc", "fuse.kvfs", "/s\\t\nu", false, 3}));
}

TEST(MountTable, KeepsADashThatIsAMountPoint) {
  const auto table = ParseMountTable("1 2 0:3 / - rw - fuse.kvfs - rw\n");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0], (MountEntry{"-", "fuse.kvfs", "-", false, 3}));
}

TEST(MountTable, LeavesOutLinesOfAnotherShape) {
  for (const char* line : {"", " ", "-", "- - - - - - -", "1 2 0:3 / /a rw", "1 2 0:3 / /a rw -",
                           "1 2 0:3 / /a rw - ext4", "1 2 3 4 5 6 7 8 9 10", "          ", "\n\n\n",
                           "1 2 0:3 / /a rw shared:1 ext4 /dev/x rw"}) {
    EXPECT_TRUE(ParseMountTable(line).empty()) << "line: " << line;
  }
}

TEST(MountTable, ReadsTheLinesAroundABadOne) {
  const auto table = ParseMountTable(std::string("nonsense\n") + kKvfsLine + "1 2\n");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0].mount_point, "/mnt/kv");
}

TEST(MountTable, SurvivesEveryTruncation) {
  const std::string whole = kKvfsLine;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_LE(ParseMountTable(whole.substr(0, size)).size(), 1u);
  }
}

TEST(MountTable, SurvivesNulBytesAndBytesAbove127) {
  using std::string_literals::operator""s;
  const std::string line = "1 2 0:3 / /a\0\xff rw - ext4 \x80 rw"s;
  ASSERT_EQ(ParseMountTable(line).size(), 1u);
  EXPECT_EQ(ParseMountTable(line)[0].mount_point, "/a\0\xff"s);
}

TEST(MountTable, TopmostMountWins) {
  const std::vector<MountEntry> table = {
      {"/mnt", "ext4", "/dev/a"}, {"/mnt", "fuse.kvfs", "/s"}, {"/mnt2", "ext4", "/dev/b"}};
  EXPECT_EQ(FindMount(table, "/mnt")->type, "fuse.kvfs");
  EXPECT_FALSE(FindMount(table, "/mn"));
  EXPECT_FALSE(FindMount(table, "/mnt/"));
}

TEST(MountTable, ReadOnlyIsSaidOfAMountOrOfAllOfAFileSystem) {
  for (const char* options : {"ro - ext4 /dev/a rw", "ro,nosuid - ext4 /dev/a rw",
                              "rw shared:1 - ext4 /dev/a ro,user_id=0"}) {
    const auto table = ParseMountTable(std::string("1 2 0:3 / /a ") + options);
    ASSERT_EQ(table.size(), 1u) << options;
    EXPECT_TRUE(table[0].is_read_only) << options;
  }
  EXPECT_FALSE(ParseMountTable("1 2 0:3 / /a rw,ro - ext4 /dev/a rw,errors=ro")[0].is_read_only);
}

TEST(MountTable, ReadsTheKernelsOwn) {
  const auto table = ReadMountTable();
  ASSERT_TRUE(table);
  EXPECT_TRUE(FindMount(*table, "/proc"));
}

TEST(UnescapeMountField, LeavesWhatIsNoEscape) {
  for (const char* plain : {"", "\\", "\\0", "\\04", "\\400", "\\048", "\\x41", "a\\", "\\\\"}) {
    EXPECT_EQ(UnescapeMountField(plain), plain);
  }
}

TEST(UnescapeMountField, ReplacesOnlyOnce) {
  EXPECT_EQ(UnescapeMountField("\\134040"), "\\040");
  EXPECT_EQ(UnescapeMountField("\\377"), "\xff");
}

}  // namespace
}  // namespace kvfs::cli
