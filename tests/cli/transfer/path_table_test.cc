// Paths are returned as they were added, with any slashes, and take only the space of their names.

#include "cli/transfer/path_table.h"

#include <gtest/gtest.h>

namespace kvfs::cli {
namespace {

TEST(PathTable, PathsComeBack) {
  PathTable table;
  const std::vector<std::string> paths = {"",          "a",    "a/b/c", "a/b",  "a/bc",
                                          "b/c/d/e/f", "/abs", "/a/b",  "a//b", "a/b/",
                                          "//",        "/",    "b/c",   "b",    "a/b/c/d"};
  std::vector<size_t> numbers;
  for (const std::string& path : paths) numbers.push_back(table.Add(path));
  for (size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(table.PathOf(numbers[i]), paths[i]);
    EXPECT_EQ(table.Add(paths[i]), numbers[i]) << paths[i];
    EXPECT_TRUE(table.Contains(paths[i]));
  }
  EXPECT_FALSE(table.Contains("c"));
}

TEST(PathTable, DirectoriesAboveAreThereToo) {
  PathTable table;
  table.Add("a/b/c");
  EXPECT_TRUE(table.Contains("a"));
  EXPECT_TRUE(table.Contains("a/b"));
  EXPECT_FALSE(table.Contains("b"));
}

// Gigabytes, if each were stored in full.
TEST(PathTable, ADeepTreeCostsItsNames) {
  PathTable table;
  std::string path;
  size_t number = 0;
  for (int i = 0; i < 20'000; ++i) {
    path += (path.empty() ? "" : "/") + std::string(20, 'n');
    number = table.Add(path);
  }
  EXPECT_TRUE(table.PathOf(number) == path);
}

}  // namespace
}  // namespace kvfs::cli
