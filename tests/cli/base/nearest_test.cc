// Which words count as similar.
#include "cli/base/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace kvfs::cli {
namespace {

constexpr std::array<std::string_view, 6> kKnown = {"mount", "unmount", "get",
                                                    "put",   "ls",      "stats"};

std::string Nearest(std::string_view word) {
  return std::string(NearestOf(word, kKnown).value_or("(none)"));
}

TEST(Nearest, OfOneOrTwoSlips) {
  EXPECT_EQ(Nearest("umount"), "unmount");
  EXPECT_EQ(Nearest("muont"), "mount");
  EXPECT_EQ(Nearest("gte"), "get");
  EXPECT_EQ(Nearest("stat"), "stats");
  EXPECT_EQ(Nearest("unmuont"), "unmount");
  EXPECT_EQ(Nearest("pt"), "put");
}

TEST(Nearest, NothingIsNearWhatSaysSomethingElse) {
  for (const std::string& word : {std::string(), std::string("x"), std::string("store"),
                                  std::string("frobnicate"), std::string(100'000, 'm')}) {
    EXPECT_EQ(Nearest(word), "(none)") << word.substr(0, 20);
  }
}

}  // namespace
}  // namespace kvfs::cli
