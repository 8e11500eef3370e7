// Any file of a store, field by field, for people who want to see what lies on the disk.
// docs/format.md tells what the fields mean.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <kvfs/env.h>
#include <kvfs/status.h>

namespace kvfs {

// Gets the description line by line, without ends of lines; returns whether to go on.
using DumpVisitor = std::function<bool(std::string_view line)>;

// Describes the superblock, a segment of the log, a shard's keys or values, or the lock file. What
// is damaged is said to be, and passed over. Checksums of pages can be verified only while the
// superblock in the store's directory can be read. Nothing is locked or changed; of a store in use
// the description need not be of one moment. kNotFound, kIo; kUnsupported for a file that is none
// of a store's.
Result<void> DumpFile(Env& env, const std::string& path, const DumpVisitor& visit);

}  // namespace kvfs
