// How an observer interprets the text of a lock file.

#include "cli/mounts/lock_file.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

TEST(LockFile, NamesTheHolderAndItsMount) {
  const auto holder = ParseHolder("pid 12\nmount /mnt/kv\n");
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, 12);
  EXPECT_EQ(MountPointOf(*holder), "/mnt/kv");
  EXPECT_FALSE(IsCommand(*holder));
}

TEST(LockFile, KeepsAMountPointWithNewlines) {
  EXPECT_EQ(MountPointOf(*ParseHolder("pid 12\nmount /a\nb\n\n")), "/a\nb\n");
}

TEST(LockFile, TellsCommandsFromOthers) {
  EXPECT_TRUE(IsCommand(*ParseHolder("pid 12\n" + CommandPurpose("put") + "\n")));
  EXPECT_FALSE(IsCommand(*ParseHolder("pid 12\nsome library user\n")));
  EXPECT_FALSE(MountPointOf(*ParseHolder("pid 12\n\n")));
}

TEST(LockFile, ReadsWhatItWrites) {
  const std::string purpose = MountPurpose("/mnt/a b");
  EXPECT_EQ(MountPointOf(*ParseHolder("pid 1\n" + purpose + "\n")), "/mnt/a b");
}

TEST(LockFile, RefusesTextsOfAnotherShape) {
  for (const char* text : {"", "\n", "pid 12", "pid \n", "pid x\n", "pid 12x\n", "pid -1\n",
                           "pid 0\n", "PID 12\n", "pid 99999999999999999999\n", " pid 12\n"}) {
    EXPECT_FALSE(ParseHolder(text)) << text;
  }
}

TEST(LockFile, NobodyHoldsAStoreThatIsNotThere) {
  EXPECT_FALSE(ReadHolder("/nowhere/at/all"));
  EXPECT_FALSE(IsHeld("/nowhere/at/all"));
}

}  // namespace
}  // namespace kvfs::cli
