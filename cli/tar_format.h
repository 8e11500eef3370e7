// Tar archives: read in every dialect and compression that libarchive knows, written as pax, which
// holds names of any bytes, times to the nanosecond, extended attributes (as GNU tar has them with
// --xattrs, access control lists among them) and holes. Lists are read as text, too (--acls).
#pragma once

#include <memory>

#include "cli/transfer.h"

namespace kvfs::cli {

// Reads an archive to its end. kInvalid for what is no archive, or ends in
// the middle of an entry, which is not handed on then.
Result<void> ReadTar(const ByteSource& source, EntrySink& sink);

Result<std::unique_ptr<EntryWriter>> MakeTarWriter(const ByteSink& out);

}  // namespace kvfs::cli
