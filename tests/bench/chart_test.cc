// The chart of a run's results.

#include "bench/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/bench/measurements.h"

namespace kvfs::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<double> BarLengths(const std::string& chart) {
  std::vector<double> lengths;
  // The legend's squares are as wide as high.
  const std::regex bar("<rect x=\"110\"[^>]* width=\"([0-9.]+)\"");
  for (std::sregex_iterator at(chart.begin(), chart.end(), bar), end; at != end; ++at) {
    lengths.push_back(std::stod(at->str(1)));
  }
  return lengths;
}

TEST(Chart, HasABarForEachFigureAndTheLongestFillsItsPlace) {
  const std::string chart = Chart(
      Summary(std::vector{Measured("kvfs", "getwarm", 0.5), Measured("lmdb", "getwarm", 1),
                          Measured("kvfs", "putsync1", 200), Measured("lmdb", "putsync1", 400)}));
  const std::vector<double> lengths = BarLengths(chart);
  ASSERT_EQ(lengths.size(), 4u);
  EXPECT_GT(lengths[0], 20);
  EXPECT_DOUBLE_EQ(lengths[3], 560);
  // On a logarithmic scale equal ratios are equal lengths.
  EXPECT_NEAR(lengths[1] - lengths[0], lengths[3] - lengths[2], 0.2);
  for (const char* text : {">kvfs<", ">lmdb<", ">getwarm<", ">putsync1<", ">0.500<", ">400<",
                           "1,000 entries of 100 bytes", "prefers-color-scheme: dark"}) {
    EXPECT_THAT(chart, HasSubstr(text));
  }
  EXPECT_THAT(chart, Not(HasSubstr(">scan<")));
}

TEST(Chart, OfNothingIsAnEmptyPicture) {
  EXPECT_THAT(Chart(Summary(std::vector<Measurement>())), HasSubstr("</svg>"));
}

}  // namespace
}  // namespace kvfs::bench
