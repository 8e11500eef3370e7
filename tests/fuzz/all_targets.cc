// The list of all targets.
#include "tests/fuzz/target.h"

namespace kvfs::fuzz {

std::span<const Target* const> AllTargets() {
  static constexpr const Target* kAll[] = {
      &kBranch,     &kChanges,       &kContentBlocks,  &kEntry,      &kLeaf,
      &kLogSegment, &kAllocationMap, &kStoreDirectory, &kSuperblock,
  };
  return kAll;
}

const Target* FindTarget(std::string_view name) {
  for (const Target* target : AllTargets()) {
    if (target->name == name) return target;
  }
  return nullptr;
}

}  // namespace kvfs::fuzz
