// Cells are text; columns are padded, so that the tables also read well in a terminal.
#include "bench/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "bench/keys.h"
#include "bench/quantity.h"
#include "bench/targets.h"
#include "bench/workload.h"

namespace kvfs::bench {
namespace {

using Row = std::vector<std::string>;

std::string Padded(const std::string& cell, size_t width, bool left) {
  return left ? fmt::format("{:<{}}", cell, width) : fmt::format("{:>{}}", cell, width);
}

std::string Line(const Row& row, const std::vector<size_t>& widths, size_t left_columns) {
  std::string line = "|";
  for (size_t column = 0; column < row.size(); ++column) {
    line += " " + Padded(row[column], widths[column], column < left_columns) + " |";
  }
  return line + "\n";
}

// The first row is the head; all have as many cells. The first `left_columns` are text.
std::string Table(const std::vector<Row>& rows, size_t left_columns) {
  std::vector<size_t> widths(rows.front().size(), 3);
  for (const Row& row : rows) {
    for (size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string rule = "|";
  for (size_t column = 0; column < widths.size(); ++column) {
    rule += std::string(widths[column] + 1, '-') + (column < left_columns ? "-|" : ":|");
  }
  std::string text = Line(rows.front(), widths, left_columns) + rule + "\n";
  for (size_t row = 1; row < rows.size(); ++row) text += Line(rows[row], widths, left_columns);
  return text;
}

std::string TimeCell(const Summary& summary, const DataSet& data_set, std::string_view workload,
                     std::string_view engine) {
  const Figures* const figures = summary.Find(data_set, workload, engine);
  if (figures == nullptr) {
    return summary.FailureOf(data_set, workload, engine).empty() ? "-" : "failed";
  }
  const Figures* const kvfs = summary.Find(data_set, workload, "kvfs");
  if (engine == "kvfs" || kvfs == nullptr) return ThreeDigits(figures->microseconds);
  return Ratio(figures->microseconds / kvfs->microseconds);
}

// The largest ratio of slowest to fastest repetition in a row: how far to trust it.
std::string SpreadCell(const Summary& summary, const DataSet& data_set, std::string_view workload) {
  double spread = 0;
  for (const std::string& engine : summary.engines()) {
    const Figures* const figures = summary.Find(data_set, workload, engine);
    if (figures != nullptr && figures->repetitions > 1) spread = std::max(spread, figures->spread);
  }
  return spread == 0 ? "-" : fmt::format("{:.2f}", spread);
}

struct Measure {
  std::string name;
  std::string_view workload;
  std::function<std::string(const Figures&)> cell;
};

std::vector<Measure> SpaceMeasures(const DataSet& data_set) {
  const double entry_bytes = static_cast<double>(kKeyBytes + data_set.value_bytes);
  const auto on_disk = [entries = static_cast<double>(data_set.entries)](const Figures& figures) {
    return ThreeDigits(figures.disk_bytes / entries);
  };
  const auto written = [entry_bytes](const Figures& figures) {
    return ThreeDigits(figures.written_bytes /
                       (entry_bytes * static_cast<double>(figures.operations)));
  };
  const auto memory = [](const Figures& figures) { return Mebibytes(figures.memory_bytes); };
  const auto resident = [](const Figures& figures) { return Mebibytes(figures.resident_bytes); };
  return {
      {"bytes on disk an entry", "fillseq", on_disk},
      {"bytes on disk an entry", "fillrandom", on_disk},
      {"bytes on disk an entry", "fillbatch", on_disk},
      {"bytes on disk an entry", "overwrite", on_disk},
      {"bytes on disk an entry", "compact", on_disk},
      {"bytes written per byte put", "fillseq", written},
      {"bytes written per byte put", "fillrandom", written},
      {"bytes written per byte put", "fillbatch", written},
      {"bytes written per byte put", "overwrite", written},
      {"own memory, peak, MiB", "fillrandom", memory},
      {"own memory, peak, MiB", "getwarm", memory},
      {"with mapped files, peak, MiB", "fillrandom", resident},
      {"with mapped files, peak, MiB", "getwarm", resident},
  };
}

Row SpaceRow(const Summary& summary, const DataSet& data_set, const Measure& measure) {
  Row row = {measure.name, std::string(measure.workload)};
  for (const std::string& engine : summary.engines()) {
    const Figures* const figures = summary.Find(data_set, measure.workload, engine);
    row.push_back(figures == nullptr ? "-" : measure.cell(*figures));
  }
  return row;
}

std::string_view NameOf(Verdict::Outcome outcome) {
  switch (outcome) {
    case Verdict::Outcome::kMet:
      return "met";
    case Verdict::Outcome::kMissed:
      return "MISSED";
    case Verdict::Outcome::kNotMeasured:
      return "not measured";
  }
  return "";
}

std::string Failures(const Summary& summary, const DataSet& data_set) {
  std::string text;
  for (const Workload& workload : Workloads()) {
    for (const std::string& engine : summary.engines()) {
      const std::string failure = summary.FailureOf(data_set, workload.name, engine);
      if (!failure.empty()) text += fmt::format("{}, {}: {}\n", workload.name, engine, failure);
    }
  }
  return text.empty() ? text : "Failures and workloads that could not run:\n\n" + text + "\n";
}

}  // namespace

std::string TimesTable(const Summary& summary, const DataSet& data_set) {
  Row head = {"workload"};
  for (const std::string& engine : summary.engines()) {
    head.push_back(engine == "kvfs" ? "kvfs, us" : engine);
  }
  head.push_back("spread");
  std::vector<Row> rows = {head};
  for (const Workload& workload : Workloads()) {
    if (!summary.Has(data_set, workload.name)) continue;
    Row row = {std::string(workload.name)};
    for (const std::string& engine : summary.engines()) {
      row.push_back(TimeCell(summary, data_set, workload.name, engine));
    }
    row.push_back(SpreadCell(summary, data_set, workload.name));
    rows.push_back(row);
  }
  return Table(rows, 1);
}

std::string SpaceTable(const Summary& summary, const DataSet& data_set) {
  Row head = {"measure", "after"};
  for (const std::string& engine : summary.engines()) head.push_back(engine);
  std::vector<Row> rows = {head};
  for (const Measure& measure : SpaceMeasures(data_set)) {
    if (summary.Has(data_set, measure.workload)) {
      rows.push_back(SpaceRow(summary, data_set, measure));
    }
  }
  return Table(rows, 2);
}

std::string TargetsTable(const Summary& summary, const DataSet& data_set) {
  std::vector<Row> rows = {{"target", "figure", "verdict"}};
  for (const Verdict& verdict : JudgeTargets(summary, data_set)) {
    rows.push_back({verdict.target, verdict.figure.empty() ? "-" : verdict.figure,
                    std::string(NameOf(verdict.outcome))});
  }
  return Table(rows, 3);
}

std::string Report(const Summary& summary) {
  std::string text;
  for (const DataSet& data_set : summary.data_sets()) {
    text += fmt::format("## {} entries, values of {} bytes\n\n", WithSeparators(data_set.entries),
                        WithSeparators(data_set.value_bytes));
    text += TimesTable(summary, data_set) + "\n";
    text += SpaceTable(summary, data_set) + "\n";
    text += TargetsTable(summary, data_set) + "\n";
    text += Failures(summary, data_set);
  }
  return text;
}

}  // namespace kvfs::bench
