// Checks a text against the rules of Prometheus' text format 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats): finds what a scraper would refuse, or
// aggregate wrongly.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kvfs {

struct MetricsText {
  // The violations of rules, each with its line; empty for a valid text.
  std::vector<std::string> faults;
  // By name and labels, as written: `kvfs_x_total{kind="a"}`.
  std::map<std::string, double> samples;
};

MetricsText ReadMetrics(std::string_view text);

}  // namespace kvfs
