// The checker finds each kind of violation, and none in a valid text.
#include "tests/support/prometheus_text.h"

#include <gtest/gtest.h>

namespace kvfs {
namespace {

constexpr const char* kGood =
    "# HELP x things\n# TYPE x counter\nx 3\n"
    "# TYPE y histogram\n"
    "y_bucket{kind=\"a\",le=\"0.1\"} 1\ny_bucket{kind=\"a\",le=\"+Inf\"} 2\n"
    "y_sum{kind=\"a\"} 0.5\ny_count{kind=\"a\"} 2\n";

TEST(PrometheusText, AGoodTextHasNoFaults) {
  const MetricsText metrics = ReadMetrics(kGood);
  EXPECT_TRUE(metrics.faults.empty()) << metrics.faults[0];
  EXPECT_EQ(metrics.samples.at("x{}"), 3);
  EXPECT_EQ(metrics.samples.at("y_count{kind=\"a\"}"), 2);
}

TEST(PrometheusText, EachFaultIsFound) {
  for (const char* text : {
           "x 3\n",
           "# TYPE x counter\nx 3",
           "# TYPE x counter\nx three\n",
           "# TYPE x counter\nx -1\n",
           "# TYPE x counter\nx 3\nx 3\n",
           "# TYPE x thing\nx 3\n",
           "# TYPE x counter\n# TYPE x counter\nx 3\n",
           "# TYPE x counter\nx{a=b} 3\n",
           "# TYPE x counter\nx{a=\"1\",a=\"2\"} 3\n",
           "# TYPE x counter\nx{a=\"\"\"} 3\n",
           "# TYPE x-y counter\n",
           "# TYPE x counter\n# TYPE z counter\nz 1\nx 1\n",
           "# TYPE y histogram\ny_sum 1\ny_count 1\n",
           "# TYPE y histogram\ny_bucket{le=\"+Inf\"} 1\ny_count 1\n",
           "# TYPE y histogram\ny_bucket{le=\"+Inf\"} 1\ny_sum 1\ny_count 2\n",
           "# TYPE y histogram\ny_bucket{le=\"1\"} 1\ny_sum 1\ny_count 1\n",
           "# TYPE y histogram\ny_bucket{le=\"1\"} 2\ny_bucket{le=\"+Inf\"} 1\ny_sum 1\ny_count "
           "1\n",
           "# TYPE y histogram\ny_bucket{le=\"2\"} 1\ny_bucket{le=\"1\"} 1\n"
           "y_bucket{le=\"+Inf\"} 1\ny_sum 1\ny_count 1\n",
           "# TYPE y histogram\ny 1\n",
       }) {
    EXPECT_FALSE(ReadMetrics(text).faults.empty()) << text;
  }
}

}  // namespace
}  // namespace kvfs
