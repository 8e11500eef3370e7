// Inodes are in the table from their first reference to their last.
#include "fs/inode_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace kvfs::fs {
namespace {

TEST(InodeTable, KnowsAnInodeFromItsFirstReferenceToItsLast) {
  InodeTable table;
  EXPECT_FALSE(table.Find(20));
  table.AddReference(20, {1, "a"}, false);
  table.AddReference(20, {1, "a"}, false);
  EXPECT_FALSE(table.DropReferences(20, 1));
  EXPECT_TRUE(table.IsReferenced(20));
  EXPECT_TRUE(table.DropReferences(20, 1));
  EXPECT_FALSE(table.IsReferenced(20));
  EXPECT_EQ(table.Count(), 0u);
}

TEST(InodeTable, DropsNoMoreReferencesThanThereAre) {
  InodeTable table;
  table.AddReference(20, {1, "a"}, false);
  EXPECT_TRUE(table.DropReferences(20, 1000));
  EXPECT_FALSE(table.DropReferences(20, 1));
}

TEST(InodeTable, DroppingNoneKeepsTheInode) {
  InodeTable table;
  table.AddReference(20, {1, "a"}, false);
  EXPECT_FALSE(table.DropReferences(20, 0));
  EXPECT_TRUE(table.IsReferenced(20));
}

TEST(InodeTable, TellsWhereTheLastReferenceLeftTheEntry) {
  InodeTable table;
  table.AddReference(20, {1, "a"}, true);
  table.Relocate(20, {2, "20"});
  const auto last = table.DropReferences(20, 1);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->key(), (Key{2, "20"}));
  EXPECT_TRUE(last->is_directory);
}

TEST(InodeTable, RelocatesWithANameOfItsOwn) {
  InodeTable table;
  table.AddReference(20, {1, "a name that does not fit into a small string"}, false);
  {
    const std::string name = "another name that does not fit into a small string";
    table.Relocate(20, {7, name});
  }
  EXPECT_EQ(table.Find(20)->name, "another name that does not fit into a small string");
  EXPECT_EQ(table.Find(20)->directory, 7u);
}

TEST(InodeTable, RelocatingAnUnknownInodeDoesNotMakeItKnown) {
  InodeTable table;
  table.Relocate(20, {1, "a"});
  EXPECT_FALSE(table.Find(20));
}

TEST(InodeTable, CountsReferencesOfManyThreads) {
  InodeTable table;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&table] {
      for (int round = 0; round < 10'000; ++round) table.AddReference(20, {1, "a"}, false);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(table.DropReferences(20, 39'999));
  EXPECT_TRUE(table.DropReferences(20, 1));
}

}  // namespace
}  // namespace kvfs::fs
