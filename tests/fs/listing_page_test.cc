// Pages of a listing never split a group of entries with the same offset.
#include "fs/listing_page.h"

#include <gtest/gtest.h>

namespace kvfs::fs {
namespace {

constexpr PageLimit kRoomForThree = {3, [](size_t) -> size_t { return 1; }};

std::string NamesOf(const std::vector<DirectoryEntry>& page) {
  std::string names;
  for (const DirectoryEntry& entry : page) names += entry.name;
  return names;
}

struct Offered {
  const char* name;
  uint64_t offset;
};

std::string FillPage(std::initializer_list<Offered> offered) {
  ListingPage page(kRoomForThree);
  for (const Offered& entry : offered) {
    if (!page.Add(entry.name, entry.offset, {})) break;
  }
  return NamesOf(page.Take());
}

TEST(ListingPage, TakesAsManyEntriesAsFit) {
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}}), "ab");
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}, {"c", 18}}), "abc");
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}, {"c", 18}, {"d", 19}}), "abc");
}

TEST(ListingPage, LeavesARunThatDoesNotFitToTheNextPage) {
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}, {"c", 17}, {"d", 17}}), "a");
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}, {"c", 18}, {"d", 18}}), "ab");
}

TEST(ListingPage, KeepsARunThatFits) {
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 17}, {"c", 17}, {"d", 18}}), "abc");
}

TEST(ListingPage, FillsThePageWithARunThatFitsNowhere) {
  EXPECT_EQ(FillPage({{"a", 16}, {"b", 16}, {"c", 16}, {"d", 16}}), "abc");
}

TEST(ListingPage, CountsTheBytesOfEachName) {
  ListingPage page({10, [](size_t name_bytes) { return name_bytes; }});
  EXPECT_TRUE(page.Add("1234", 16, {}));
  EXPECT_TRUE(page.Add("123456", 17, {}));
  EXPECT_FALSE(page.Add("1", 18, {}));
}

}  // namespace
}  // namespace kvfs::fs
