// Options, findings and results of a check of a store (Store::Check).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kvfs {

struct CheckFinding {
  enum class Kind {
    // Something is unreadable, wrong, or at risk of being overwritten: the store should be repaired
    // into a new one (include/kvfs/repair.h), or restored from a copy.
    kDamage,
    // Disk space is leaked, or a count is wrong. The data is sound.
    kLostSpace,
    // Nothing is wrong; for information.
    kNote,
  };
  Kind kind = Kind::kDamage;
  std::string message;  // what is wrong, where, and in which entry if known
};

struct CheckProgress {
  uint64_t bytes_checked = 0;
  uint64_t bytes_total = 0;  // an estimate, but never less
};

struct CheckOptions {
  // Both are called from the thread that runs the check, with no lock held.
  std::function<void(const CheckFinding&)> on_finding;
  // Called often. Returning false ends the check.
  std::function<bool(const CheckProgress&)> on_progress;
};

struct CheckReport {
  // In the whole store: in the newest checkpoint, with the log's later changes applied.
  uint64_t entries = 0;
  uint64_t checkpoint_entries = 0;  // in that checkpoint's trees
  uint64_t log_records = 0;         // since then; their result in memory is checked
  uint64_t log_entries = 0;         // that these records created or changed
  uint64_t pages = 0;
  uint64_t blocks = 0;
  uint64_t damages = 0;  // findings of each kind
  uint64_t space_findings = 0;
  uint64_t notes = 0;
  bool complete = true;  // false: on_progress ended the check

  bool IsSound() const { return damages == 0 && space_findings == 0; }
};

}  // namespace kvfs
