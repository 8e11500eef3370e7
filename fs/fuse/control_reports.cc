// Reports consist of kvfs's own names and numbers: no text needs escaping.
#include "fs/fuse/control_reports.h"

#include <array>
#include <charconv>
#include <span>

#include "fs/fuse/statistics.h"

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

// The same for the kinds with replies, with their latencies.
template <typename Tell>
void ForEachAnswered(const MessageCounts& messages, const Tell& tell) {
  for (size_t number = 0; number < MessageCounts::kKinds; ++number) {
    const auto kind = static_cast<MessageKind>(number);
    const Latencies latencies = messages.LatenciesOf(kind);
    if (latencies.Count() > 0) tell(NameOf(kind), latencies);
  }
}

// The shortest text that round-trips the number, independent of the locale.
std::string TextOf(double number) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

std::string SecondsOf(uint64_t nanoseconds) {
  return TextOf(static_cast<double>(nanoseconds) / 1e9);
}

std::string ListOf(std::span<const uint64_t> numbers) {
  std::string out = "[";
  for (const uint64_t number : numbers) {
    if (out.size() > 1) out += ",";
    out += std::to_string(number);
  }
  return out + "]";
}

// The buckets of one kind, cumulative.
void AddHistogram(std::string& out, std::string_view kind, const Latencies& latencies) {
  constexpr std::string_view kName = "kvfs_message_duration_seconds";
  const std::string label = "kind=\"" + std::string(kind) + "\"";
  const auto add = [&](std::string_view suffix, const std::string& labels,
                       const std::string& value) {
    out += std::string(kName) + std::string(suffix) + "{" + labels + "} " + value + "\n";
  };
  uint64_t count = 0;
  for (size_t i = 0; i < latencies.buckets.size(); ++i) {
    count += latencies.buckets[i];
    const bool has_bound = i < kLatencyBoundsNs.size();
    const std::string bound =
        has_bound ? SecondsOf(static_cast<uint64_t>(kLatencyBoundsNs[i])) : "+Inf";
    add("_bucket", label + ",le=\"" + bound + "\"", std::to_string(count));
  }
  add("_sum", label, SecondsOf(latencies.sum_ns));
  add("_count", label, std::to_string(count));
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
  out += "},\"latencies\":{";
  separator.clear();
  ForEachAnswered(state.messages, [&](std::string_view name, const Latencies& latencies) {
    out += separator + "\"" + std::string(name) +
           "\":{\"count\":" + std::to_string(latencies.Count()) +
           ",\"p50_seconds\":" + TextOf(latencies.QuantileSeconds(0.5)) +
           ",\"p99_seconds\":" + TextOf(latencies.QuantileSeconds(0.99)) +
           ",\"sum_seconds\":" + SecondsOf(latencies.sum_ns) +
           ",\"buckets\":" + ListOf(latencies.buckets) + "}";
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
  AddMetric(out, "inodes", "inodes referenced by the kernel", "gauge", state.inodes);
  out += "# HELP kvfs_messages_total messages that the kernel has sent\n";
  out += "# TYPE kvfs_messages_total counter\n";
  ForEachKind(state.messages, [&](std::string_view name, uint64_t count) {
    out +=
        "kvfs_messages_total{kind=\"" + std::string(name) + "\"} " + std::to_string(count) + "\n";
  });
  out += "# HELP kvfs_message_duration_seconds time from reading a message to replying to it\n";
  out += "# TYPE kvfs_message_duration_seconds histogram\n";
  ForEachAnswered(state.messages, [&](std::string_view name, const Latencies& latencies) {
    AddHistogram(out, name, latencies);
  });
  return out;
}

}  // namespace kvfs::fs
