// What a check of a store (Store::Check) is asked for, and what it finds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace kvfs {

struct CheckFinding {
  enum class Kind {
    // Something cannot be read, is not what it should be, or may be written over: the store should
    // be repaired into a new one (include/kvfs/repair.h), or restored.
    kDamage,
    // Space is lost, or a count is wrong. Nothing else is.
    kDirectory,
    // Nothing is wrong, but worth knowing.
    kNote,
  };
  Kind kind = Kind::kDamage;
  std::string message;  // what, where, and which entry, if one can be named
};

struct CheckProgress {
  uint64_t bytes_checked = 0;
  uint64_t bytes_total = 0;  // an estimate, but never less
};

struct CheckOptions {
  // Both are called from the thread that checks, with no lock held.
  std::function<void(const CheckFinding&)> on_finding;
  // Often. Returns whether to go on.
  std::function<bool(const CheckProgress&)> on_progress;
};

struct CheckReport {
  // Of the whole store: what the newest checkpoint has, as the log since has changed it.
  uint64_t entries = 0;
  uint64_t checkpoint_entries = 0;  // in the trees of that checkpoint
  uint64_t log_records = 0;         // since then: carried out in memory, and the outcome looked at
  uint64_t log_entries = 0;         // that they have made or changed
  uint64_t pages = 0;
  uint64_t blocks = 0;
  uint64_t damages = 0;  // findings of each kind
  uint64_t space_findings = 0;
  uint64_t notes = 0;
  bool complete = true;  // false: on_progress ended it

  bool IsSound() const { return damages == 0 && space_findings == 0; }
};

}  // namespace kvfs
