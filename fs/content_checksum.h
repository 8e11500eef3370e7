// The checksum of a whole content, for users.
#pragma once

#include <string>

#include <kvfs/store.h>

namespace kvfs::fs {

// 128-bit XXH3 as 32 hexadecimal digits, as printed by xxh128sum. Reads the whole content;
// kTooLarge above kMaxGetBytes, kConflict if the content keeps changing meanwhile. kNotFound if the
// entry does not have this id.
Result<std::string> ChecksumContent(const Store& store, Key key, uint64_t id);

}  // namespace kvfs::fs
