// Tar archives: read in every dialect and compression that libarchive supports, written as pax,
// which can hold names of any bytes, times in nanoseconds, extended attributes (as GNU tar's
// --xattrs) and holes. Access control lists are read and written in two forms: as text, as by
// --acls, and as extended attributes, which take precedence if both are present.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// Reads an archive to its end. Bytes without a readable header are skipped, up to the next header,
// and reported as left out; so are bytes after the archive's end, and a missing end mark, since
// entries may be missing with it. kInvalid if it is not an archive, or ends in the middle of an
// entry, which is then not passed on.
Result<void> ReadTar(const ByteSource& source, EntrySink& sink);

std::unique_ptr<EntryWriter> MakeTarWriter(const ByteSink& out);

}  // namespace kvfs::cli
