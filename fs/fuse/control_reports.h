// The contents of a control directory's files. Each name is one of fs/fuse/statistics.h, or of the
// kernel's messages.
#pragma once

#include <string>

#include <kvfs/store.h>
#include "fs/fuse/message_counts.h"

namespace kvfs::fs {

struct MountState {
  StoreStats store;
  const MessageCounts& messages;
  size_t inodes = 0;  // referenced by the kernel
};

// One JSON object: the statistics by name, "inodes", "messages" with a count for each kind, and
// "latencies" with "count", "p50_seconds", "p99_seconds", "sum_seconds" and "buckets" (counts by
// the bounds of fs/fuse/latency_histogram.h, and above them) for each kind with replies.
std::string ReportAsJson(const MountState& state);
// The same in Prometheus's text format 0.0.4: kvfs_<name>, kvfs_inodes, kvfs_messages_total{kind=},
// and the histogram kvfs_message_duration_seconds{kind=} of the kinds with replies.
std::string ReportAsMetrics(const MountState& state);

}  // namespace kvfs::fs
