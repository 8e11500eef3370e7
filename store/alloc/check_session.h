// A check in progress: passes findings and progress on, and counts them.
//
// Threads: one.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <kvfs/check.h>
#include <kvfs/status.h>

namespace kvfs {

class CheckSession {
 public:
  // `options` must outlive the session.
  CheckSession(const CheckOptions* options, uint64_t bytes_total) : options_(*options) {
    progress_.bytes_total = bytes_total;
  }

  void Damage(std::string message) {
    ++report_.damages;
    Tell({CheckFinding::Kind::kDamage, std::move(message)});
  }
  void Space(std::string message) {
    ++report_.space_findings;
    Tell({CheckFinding::Kind::kLostSpace, std::move(message)});
  }
  void Note(std::string message) {
    ++report_.notes;
    Tell({CheckFinding::Kind::kNote, std::move(message)});
  }

  // Progress of the check.
  void CountEntry() { ++report_.checkpoint_entries; }
  void CountLogEntry() { ++report_.log_entries; }
  void SetLogRecords(uint64_t count) { report_.log_records = count; }
  void SetEntries(uint64_t count) { report_.entries = count; }
  void CountPage(uint64_t bytes) {
    ++report_.pages;
    Advance(bytes);
  }
  void CountBlock(uint64_t bytes) {
    ++report_.blocks;
    Advance(bytes);
  }
  // True once the caller has cancelled the check, or it has failed: nothing more is to be checked.
  bool ended() const { return !report_.complete || failure_; }

  // Ends the check: something could not be read for a reason unrelated to the stored data.
  void Abandon(Error error) {
    if (!failure_) failure_ = std::move(error);
  }
  const std::optional<Error>& failure() const { return failure_; }

  const CheckReport& report() const { return report_; }

 private:
  void Tell(const CheckFinding& finding) const {
    if (options_.on_finding) options_.on_finding(finding);
  }
  void Advance(uint64_t bytes) {
    progress_.bytes_checked += bytes;
    progress_.bytes_total = std::max(progress_.bytes_total, progress_.bytes_checked);
    if (options_.on_progress && !options_.on_progress(progress_)) report_.complete = false;
  }

  const CheckOptions& options_;
  CheckProgress progress_;
  CheckReport report_;
  std::optional<Error> failure_;
};

}  // namespace kvfs
