// The checksum of a whole content, as users can ask for it.
#pragma once

#include <string>

#include <kvfs/store.h>

namespace kvfs::fs {

// XXH3 with 128 bits, as 32 hexadecimal digits: what xxh128sum prints. Reads the whole content;
// kTooLarge above kMaxGetBytes, kConflict if it changes again and again meanwhile. kNotFound if the
// entry there has not the id, or has it no longer.
Result<std::string> ChecksumContent(const Store& store, Key key, uint64_t id);

}  // namespace kvfs::fs
