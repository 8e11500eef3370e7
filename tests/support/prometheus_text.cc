// One pass over the lines, and a final check of each histogram.
#include "tests/support/prometheus_text.h"

#include <cmath>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

namespace kvfs {
namespace {

const std::regex kComment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*))");
const std::regex kSample(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+))");
const std::regex kLabel(R"(([a-zA-Z_][a-zA-Z0-9_]*)=("(?:[^"\\\n]|\\["\\n])*")(,|$))");

// The buckets of one set of labels, in order, and the other two samples.
struct Histogram {
  std::vector<std::pair<double, double>> buckets;
  double sum = -1;
  double count = -1;
};

class MetricsReader {
 public:
  MetricsText Read(std::string_view text) {
    if (!text.ends_with('\n')) Fault("the last line does not end");
    std::istringstream lines{std::string(text)};
    while (std::getline(lines, line_)) ReadLine();
    for (const auto& [labels, histogram] : histograms_) CheckHistogram(labels, histogram);
    return std::move(result_);
  }

 private:
  void Fault(const std::string& reason) { result_.faults.push_back(reason + ": " + line_); }

  void ReadLine() {
    std::smatch parts;
    if (line_.empty()) return;
    if (line_[0] == '#') {
      if (!std::regex_match(line_, parts, kComment)) return Fault("a comment that says nothing");
      return ReadComment(parts[1], parts[2], parts[3]);
    }
    if (!std::regex_match(line_, parts, kSample)) return Fault("no sample");
    ReadSample(parts[1], parts[3], parts[4]);
  }

  // All lines of a metric are consecutive, with its type first.
  void Enter(const std::string& metric) {
    if (metric == metric_) return;
    if (!entered_.insert(metric).second) Fault("a metric in two places");
    metric_ = metric;
  }

  void ReadComment(const std::string& word, const std::string& metric, const std::string& rest) {
    Enter(metric);
    if (!commented_.insert(word + " " + metric).second) Fault("a second " + word);
    if (word == "HELP") return;
    if (has_samples_.contains(metric)) Fault("a type behind samples");
    if (!std::set<std::string>{"counter", "gauge", "histogram", "summary", "untyped"}.contains(
            rest)) {
      Fault("no such type");
    }
    types_[metric] = rest;
  }

  std::string MetricOf(const std::string& name) const {
    for (const char* suffix : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(suffix)) continue;
      const std::string base = name.substr(0, name.size() - std::string(suffix).size());
      if (types_.contains(base) && types_.at(base) == "histogram") return base;
    }
    return name;
  }

  void ReadSample(const std::string& name, const std::string& labels, const std::string& number) {
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (*end != '\0') Fault("no number");
    const std::string metric = MetricOf(name);
    Enter(metric);
    has_samples_.insert(metric);
    if (!types_.contains(metric)) Fault("no type");
    if (types_[metric] == "counter" && value < 0) Fault("a counter below zero");
    if (!result_.samples.emplace(name + "{" + labels + "}", value).second) Fault("a sample twice");
    std::string le;
    const std::string others = OtherLabels(labels, &le);
    if (types_[metric] == "histogram") NoteInHistogram(metric, name, others, le, value);
  }

  // Checks the labels except "le", which is returned separately.
  std::string OtherLabels(const std::string& labels, std::string* le) {
    std::string others;
    std::string rest = labels;
    std::set<std::string> names;
    std::smatch parts;
    while (!rest.empty()) {
      if (!std::regex_search(rest, parts, kLabel, std::regex_constants::match_continuous)) {
        Fault("bad labels");
        return others;
      }
      if (!names.insert(parts[1]).second) Fault("a label twice");
      if (parts[1] == "le") {
        *le = parts[2];
      } else {
        others += parts[1].str() + "=" + parts[2].str();
      }
      rest = parts.suffix();
    }
    return others;
  }

  void NoteInHistogram(const std::string& metric, const std::string& name,
                       const std::string& others, const std::string& le, double value) {
    Histogram& histogram = histograms_[metric + " " + others];
    if (name == metric + "_sum") {
      histogram.sum = value;
    } else if (name == metric + "_count") {
      histogram.count = value;
    } else if (name != metric + "_bucket" || le.size() < 3) {
      Fault("no part of a histogram");
    } else {
      histogram.buckets.emplace_back(std::strtod(le.c_str() + 1, nullptr), value);
    }
  }

  void CheckHistogram(const std::string& labels, const Histogram& histogram) {
    line_ = labels;
    if (histogram.sum < 0 || histogram.count < 0) Fault("a sum or count is missing");
    if (histogram.buckets.empty() || !std::isinf(histogram.buckets.back().first)) {
      return Fault("the last bucket is not +Inf");
    }
    if (histogram.buckets.back().second != histogram.count)
      Fault("the +Inf bucket is not the count");
    for (size_t i = 1; i < histogram.buckets.size(); ++i) {
      const auto& [bound, count] = histogram.buckets[i];
      const auto& [bound_before, count_before] = histogram.buckets[i - 1];
      if (bound <= bound_before || count < count_before) Fault("buckets that do not grow");
    }
  }

  MetricsText result_;
  std::string line_;
  std::string metric_;
  std::set<std::string> entered_;
  std::set<std::string> commented_;
  std::set<std::string> has_samples_;
  std::map<std::string, std::string> types_;
  std::map<std::string, Histogram> histograms_;
};

}  // namespace

MetricsText ReadMetrics(std::string_view text) { return MetricsReader().Read(text); }

}  // namespace kvfs
