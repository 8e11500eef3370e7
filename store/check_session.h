// One check under way: hands findings and progress on, and counts them.
//
// Threads: one.
#pragma once

#include <string>
#include <utility>

#include "store/check.h"

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
    Tell({CheckFinding::Kind::kSpace, std::move(message)});
  }
  void Note(std::string message) {
    ++report_.notes;
    Tell({CheckFinding::Kind::kNote, std::move(message)});
  }

  // So much more has been looked at.
  void CountEntry() { ++report_.entries; }
  void CountPage(uint64_t bytes) {
    ++report_.pages;
    Advance(bytes);
  }
  void CountBlock(uint64_t bytes) {
    ++report_.blocks;
    Advance(bytes);
  }
  // True once the caller wants no more: then nothing is to be looked at any further.
  bool ended() const { return !report_.complete; }

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
};

}  // namespace kvfs
