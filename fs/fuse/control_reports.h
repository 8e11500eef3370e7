// What the files of a control directory say. Each name is one of fs/fuse/statistics.h, or of the
// kernel's messages.
#pragma once

#include <string>

#include <kvfs/store.h>
#include "fs/fuse/message_counts.h"

namespace kvfs::fs {

struct MountState {
  StoreStats store;
  const MessageCounts& messages;
  size_t inodes = 0;  // that the kernel refers to
};

// One JSON object: the statistics by name, "inodes", "messages" with a number for each kind, and
// "latencies" with "count", "p50_seconds", "p99_seconds", "sum_seconds" and "buckets" (counts by
// the bounds of fs/fuse/latency_histogram.h, and beyond them) for each kind that was answered.
std::string ReportAsJson(const MountState& state);
// The same as Prometheus' text format 0.0.4: kvfs_<name>, kvfs_inodes, kvfs_messages_total{kind=},
// and the histogram kvfs_message_duration_seconds{kind=}, of the kinds that were answered.
std::string ReportAsMetrics(const MountState& state);

}  // namespace kvfs::fs
