// Nothing but names of ours and numbers: no text needs escaping.
#include "fs/control_reports.h"

#include "fs/statistics.h"

namespace kvfs::fs {
namespace {

// Calls `tell(name, count)` for each kind of message.
template <typename Tell>
void ForEachKind(const MessageCounts& messages, const Tell& tell) {
  for (size_t number = 0; number < MessageCounts::kKinds; ++number) {
    const auto kind = static_cast<MessageKind>(number);
    const std::string_view name = NameOf(kind);
    if (!name.empty()) tell(name, messages.Of(kind));
  }
}

void AddMetric(std::string& out, std::string_view name, std::string_view meaning,
               std::string_view type, uint64_t value) {
  const std::string full = "kvfs_" + std::string(name);
  out += "# HELP " + full + " " + std::string(meaning) + "\n";
  out += "# TYPE " + full + " " + std::string(type) + "\n";
  out += full + " " + std::to_string(value) + "\n";
}

}  // namespace

std::string ReportAsJson(const MountState& state) {
  std::string out = "{";
  for (const Statistic& row : Statistics()) {
    out += "\"" + std::string(row.name) + "\":" + std::to_string(state.store.*row.value) + ",";
  }
  out += "\"inodes\":" + std::to_string(state.inodes) + ",\"messages\":{";
  std::string separator;
  ForEachKind(state.messages, [&](std::string_view name, uint64_t count) {
    out += separator + "\"" + std::string(name) + "\":" + std::to_string(count);
    separator = ",";
  });
  return out + "}}\n";
}

std::string ReportAsMetrics(const MountState& state) {
  std::string out;
  for (const Statistic& row : Statistics()) {
    const bool is_counter = row.kind == Statistic::Kind::kCounter;
    AddMetric(out, row.name, row.meaning, is_counter ? "counter" : "gauge", state.store.*row.value);
  }
  AddMetric(out, "inodes", "inodes that the kernel refers to", "gauge", state.inodes);
  out += "# HELP kvfs_messages_total messages that the kernel has sent\n";
  out += "# TYPE kvfs_messages_total counter\n";
  ForEachKind(state.messages, [&](std::string_view name, uint64_t count) {
    out +=
        "kvfs_messages_total{kind=\"" + std::string(name) + "\"} " + std::to_string(count) + "\n";
  });
  return out;
}

}  // namespace kvfs::fs
