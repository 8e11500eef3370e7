// What a disk may look like after a power failure.
//
// Everything synced is there. Of the unsynced operations any subset may have reached the disk, and
// of a write any subset of its 512-byte sectors. The older of two writes to one sector never
// replaces the newer (both went through one page in memory), so a subset in its original order is
// every order. A file's size may have grown where its data is missing: zeros are read there.
//
// Names keep more order, as journaling file systems do: an operation on a name happens only if the
// unsynced ones on the same name before it did. What lies in a lost directory is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/env/disk_operation.h"

namespace kvfs {

// Which of the possible disks. Its text form, as in "prefix:3", repeats a failure.
struct CrashChoice {
  enum class Kind {
    kAll,     // everything written: also what the death of the process alone leaves
    kNone,    // only what was synced
    kPrefix,  // the first `value` unsynced operations
    kRandom,  // a subset of them, drawn with the seed `value`
    kTorn,    // a subset of the sectors of each, drawn with the seed `value`
  };
  Kind kind = Kind::kAll;
  uint64_t value = 0;

  std::string ToText() const;
  static std::optional<CrashChoice> FromText(std::string_view text);
};

// The names, with their contents, that the chosen disk holds. Shares nothing with `synced_names`
// but chunks of contents that are copied when they change.
MemoryNames BuildCrashImage(const MemoryNames& synced_names,
                            const std::vector<UnsyncedOperation>& unsynced, CrashChoice choice);

}  // namespace kvfs
