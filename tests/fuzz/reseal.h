// Recomputes checksums over modified bytes, as an attacker would, and as no damage does. So the
// code that runs after the verification of a checksum is tested at all.
#pragma once

#include <kvfs/bytes.h>
#include "store/format/superblock.h"

namespace kvfs::fuzz {

// Each does nothing if there are too few bytes.
void ResealIdentity(MutableBytes identity);
void ResealSlot(MutableBytes slot, const format::StoreId& store, uint32_t shards);
// The header, and consecutive records, as far as their lengths are valid.
void ResealSegment(MutableBytes segment, const format::StoreId& store);

}  // namespace kvfs::fuzz
