// Checks, compaction and statistics are requests of cli/client/requests.h.

#include "cli/client/daemon_maintenance.h"

#include <iterator>

#include "cli/client/requests.h"
#include "fs/fuse/statistics.h"

namespace kvfs::cli {

Result<CheckReport> DaemonMaintenance::Check(const CheckOptions& options) {
  bool wants_more = true;
  const auto take = [&](const Message& m) -> Result<void> {
    if (m.size() != 3) return MalformedReply();
    if (m[0] == request::kFinding) {
      KVFS_ASSIGN(const uint64_t kind, DecodeNumber(m[1]));
      if (options.on_finding) options.on_finding({static_cast<CheckFinding::Kind>(kind), m[2]});
      return {};
    }
    KVFS_ASSIGN(const uint64_t done, DecodeNumber(m[1]));
    KVFS_ASSIGN(const uint64_t total, DecodeNumber(m[2]));
    if (options.on_progress) wants_more = options.on_progress({done, total});
    return wants_more ? Result<void>() : Fail(ErrorCode::kCancelled);
  };
  const auto answer = daemon_.AskMany(Request(request::kCheck), take);
  CheckReport report;
  if (!answer && !wants_more) {
    report.complete = false;
    return report;
  }
  if (!answer) return tl::unexpected(answer.error());
  uint64_t* const numbers[] = {
      &report.entries,     &report.pages,          &report.blocks,
      &report.damages,     &report.space_findings, &report.notes,
      &report.log_records, &report.log_entries,    &report.checkpoint_entries};
  if (answer->size() != std::size(numbers)) return MalformedReply();
  for (size_t i = 0; i < answer->size(); ++i) {
    KVFS_ASSIGN(*numbers[i], DecodeNumber((*answer)[i]));
  }
  return report;
}

Result<void> DaemonMaintenance::Compact() {
  KVFS_TRY(daemon_.Ask(Request(request::kCompact)));
  return {};
}

Result<StoreStats> DaemonMaintenance::GetStats() {
  KVFS_ASSIGN(const Message answer, daemon_.Ask(Request(request::kStats)));
  const auto table = fs::Statistics();
  if (answer.size() != table.size()) return MalformedReply();
  StoreStats stats;
  for (size_t i = 0; i < table.size(); ++i) {
    KVFS_ASSIGN(stats.*table[i].value, DecodeNumber(answer[i]));
  }
  return stats;
}

}  // namespace kvfs::cli
