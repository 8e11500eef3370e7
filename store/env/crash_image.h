// The possible states of a disk after a power failure.
//
// Everything synced is there. Any subset of the unsynced operations may have reached the disk, and
// of each write any subset of its 512-byte sectors. The older of two writes to one sector never
// replaces the newer (both went through one page in memory), so it is enough to apply subsets in
// their original order. A file may have grown without its data: zeros are read there.
//
// Names keep more order, as on journaling file systems: an operation on a name takes effect only if
// all earlier unsynced operations on that name did. The content of a lost directory is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/env/disk_operation.h"

namespace kvfs {

// Selects one of the possible disks. Its text form, such as "prefix:3", repeats a failure.
struct CrashChoice {
  enum class Kind {
    kAll,     // everything written: the disk after a crash of the process alone
    kNone,    // only what was synced
    kPrefix,  // the first `value` unsynced operations
    kRandom,  // a random subset of them, with the seed `value`
    kTorn,    // a random subset of the sectors of each, with the seed `value`
  };
  Kind kind = Kind::kAll;
  uint64_t value = 0;

  std::string ToText() const;
  static std::optional<CrashChoice> FromText(std::string_view text);
};

// The names and contents of the chosen disk. Shares with `synced_names` only copy-on-write chunks
// of contents.
MemoryNames BuildCrashImage(const MemoryNames& synced_names,
                            const std::vector<UnsyncedOperation>& unsynced, CrashChoice choice);

}  // namespace kvfs
