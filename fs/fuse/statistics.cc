// The rows, in the order in which they are shown.
#include "fs/fuse/statistics.h"

#include <array>

namespace kvfs::fs {

std::span<const Statistic> Statistics() {
  using enum Statistic::Kind;
  static constexpr std::array kTable = {
      Statistic{"entries", "entries: files, directories and everything else that has a name",
                kGauge, &StoreStats::entries},
      Statistic{"disk_bytes", "what all files of the store take on the disk", kGauge,
                &StoreStats::disk_bytes},
      Statistic{"file_bytes", "their sizes, holes included", kGauge, &StoreStats::file_bytes},
      Statistic{"page_bytes_used", "tree pages in use", kGauge, &StoreStats::page_bytes_used},
      Statistic{"block_bytes_used", "content blocks in use", kGauge, &StoreStats::block_bytes_used},
      Statistic{"dead_bytes", "freed pages and blocks that a reader or checkpoint still needs",
                kGauge, &StoreStats::dead_bytes},
      Statistic{"reusable_bytes", "free pages and blocks with disk space", kGauge,
                &StoreStats::reusable_bytes},
      Statistic{"reserved_bytes", "of what is free, kept for checkpoints, the log and deletes",
                kGauge, &StoreStats::reserved_bytes},
      Statistic{"orphaned_contents", "orphaned contents that are not freed yet", kGauge,
                &StoreStats::orphaned_contents},
      Statistic{"log_file_bytes", "files of the redo log", kGauge, &StoreStats::log_file_bytes},
      Statistic{"log_bytes", "log that a recovery would replay now", kGauge,
                &StoreStats::log_bytes},
      Statistic{"dirty_bytes", "memory for changes that await a checkpoint", kGauge,
                &StoreStats::dirty_bytes},
      Statistic{"snapshots", "snapshots in use", kGauge, &StoreStats::snapshots},
      Statistic{"epoch", "number of the newest checkpoint", kCounter, &StoreStats::epoch},
      Statistic{"checkpoints", "checkpoints since the store was opened", kCounter,
                &StoreStats::checkpoints},
      Statistic{"acknowledged_sequence", "number of the newest change", kCounter,
                &StoreStats::acknowledged_sequence},
      Statistic{"durable_sequence", "number of the newest change that survives power loss",
                kCounter, &StoreStats::durable_sequence},
      Statistic{"replayed_records", "log records replayed when the store was opened", kCounter,
                &StoreStats::replayed_records},
  };
  return kTable;
}

}  // namespace kvfs::fs
