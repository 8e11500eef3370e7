// Text is laid out by fixed sizes: nothing measures letters here, so labels have room to spare.
#include "bench/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "bench/quantity.h"
#include "bench/workload.h"

namespace kvfs::bench {
namespace {

constexpr int kWidth = 760;
constexpr int kBarsFrom = 110;
constexpr int kBarsWidth = 560;  // what is left is for the figure behind the longest bar
constexpr int kBarHeight = 11;
constexpr int kBarStep = 13;
constexpr int kGroupGap = 10;
constexpr int kHeadHeight = 58;

// kvfs first. Okabe and Ito's palette, which the colour-blind tell apart as well.
constexpr std::array kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                 "#56b4e9", "#d55e00", "#999999", "#f0e442"};

struct Bar {
  size_t engine = 0;
  double microseconds = 0;
};
struct Group {
  std::string workload;
  std::vector<Bar> bars;
};

std::vector<Group> GroupsOf(const Summary& summary, const DataSet& data_set) {
  std::vector<Group> groups;
  for (const Workload& workload : Workloads()) {
    Group group{std::string(workload.name), {}};
    for (size_t engine = 0; engine < summary.engines().size(); ++engine) {
      const Figures* const figures =
          summary.Find(data_set, workload.name, summary.engines()[engine]);
      if (figures != nullptr && figures->microseconds > 0) {
        group.bars.push_back({engine, figures->microseconds});
      }
    }
    if (!group.bars.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

// From microseconds to the length of a bar.
class Scale {
 public:
  explicit Scale(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      for (const Bar& bar : group.bars) {
        least_ = std::min(least_, bar.microseconds);
        most_ = std::max(most_, bar.microseconds);
      }
    }
    least_ /= 2;  // the shortest bar, too, is to be seen
  }
  double Length(double microseconds) const {
    return kBarsWidth * std::log(microseconds / least_) / std::log(most_ / least_);
  }

 private:
  double least_ = std::numeric_limits<double>::max();
  double most_ = 0;
};

class Drawing {
 public:
  explicit Drawing(const Summary& summary) : summary_(summary) {}

  std::string Draw() {
    for (const DataSet& data_set : summary_.data_sets()) AddPart(data_set);
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
               "viewBox=\"0 0 {0} {1}\" role=\"img\">\n"
               "<title>Microseconds an operation; shorter is better</title>\n"
               "<style>\n"
               "  text {{ font: 12px sans-serif; fill: #1f2328; }}\n"
               "  .head {{ font-weight: bold; }}\n"
               "  .figure {{ font-size: 10px; }}\n"
               "  @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3; }} }}\n"
               "</style>\n",
               kWidth, y_ + kGroupGap) +
           body_ + "</svg>\n";
  }

 private:
  void Text(double x, double y, std::string_view class_name, std::string_view anchor,
            std::string_view text) {
    body_ +=
        fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n",
                    x, y, class_name, anchor, text);
  }
  void Rectangle(double x, double y, double width, size_t engine) {
    body_ += fmt::format(
        "<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\"/>\n", x, y,
        width, kBarHeight, kColours[engine % kColours.size()]);
  }
  void AddPart(const DataSet& data_set) {
    const std::vector<Group> groups = GroupsOf(summary_, data_set);
    if (groups.empty()) return;
    Text(8, y_ + 20, "head", "start",
         fmt::format("{} entries of {} bytes: microseconds an operation, logarithmic; shorter is "
                     "better",
                     WithSeparators(data_set.entries), WithSeparators(data_set.value_bytes)));
    AddLegend();
    y_ += kHeadHeight;
    const Scale scale(groups);
    for (const Group& group : groups) AddGroup(group, scale);
  }
  void AddLegend() {
    constexpr int kStep = 90;
    for (size_t engine = 0; engine < summary_.engines().size(); ++engine) {
      const double x = 8 + static_cast<double>(engine) * kStep;
      Rectangle(x, y_ + 32, kBarHeight, engine);
      Text(x + kBarHeight + 5, y_ + 42, "name", "start", summary_.engines()[engine]);
    }
  }
  void AddGroup(const Group& group, const Scale& scale) {
    const double middle = y_ + (static_cast<double>(group.bars.size()) * kBarStep) / 2 + 4;
    Text(kBarsFrom - 8, middle, "name", "end", group.workload);
    for (const Bar& bar : group.bars) {
      const double length = scale.Length(bar.microseconds);
      Rectangle(kBarsFrom, y_, length, bar.engine);
      Text(kBarsFrom + length + 5, y_ + kBarHeight - 2, "figure", "start",
           ThreeDigits(bar.microseconds));
      y_ += kBarStep;
    }
    y_ += kGroupGap;
  }

  const Summary& summary_;
  std::string body_;
  double y_ = 0;
};

}  // namespace

std::string Chart(const Summary& summary) { return Drawing(summary).Draw(); }

}  // namespace kvfs::bench
