// Right checksums over wrong bytes: what somebody who makes a store's files on purpose would write,
// and what no damage looks like. So that what lies behind a checksum is reached at all.
#pragma once

#include <kvfs/bytes.h>
#include "store/format/superblock.h"

namespace kvfs::fuzz {

// Each does nothing where the bytes are too few.
void ResealIdentity(MutableBytes identity);
void ResealSlot(MutableBytes slot, const format::StoreId& store, uint32_t shards);
// The header, and the records one behind the other, as far as their lengths lead.
void ResealSegment(MutableBytes segment, const format::StoreId& store);

}  // namespace kvfs::fuzz
