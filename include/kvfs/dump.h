// Prints any file of a store field by field, for people who want to see what is on disk.
// docs/format.md explains the fields.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <kvfs/env.h>
#include <kvfs/status.h>

namespace kvfs {

// Receives the description line by line, without newlines; returns whether to go on.
using DumpVisitor = std::function<bool(std::string_view line)>;

// Describes the superblock, a log segment, a shard's keys or values file, or the lock file. Damaged
// parts are reported and skipped. Page checksums can be verified only if the superblock in the
// store's directory is readable. Nothing is locked or changed, so the description of a store in use
// may be inconsistent. kNotFound, kIo; kUnsupported if the file is not part of a store.
Result<void> DumpFile(Env& env, const std::string& path, const DumpVisitor& visit);

}  // namespace kvfs
