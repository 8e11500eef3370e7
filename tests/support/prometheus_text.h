// Holds a text against the rules of Prometheus' text format 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats): what a scraper would refuse, or would add
// up wrongly, is found here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kvfs {

struct MetricsText {
  // What breaks a rule, with the line; empty for a good text.
  std::vector<std::string> faults;
  // By name and labels as they are written: `kvfs_x_total{kind="a"}`.
  std::map<std::string, double> samples;
};

MetricsText ReadMetrics(std::string_view text);

}  // namespace kvfs
