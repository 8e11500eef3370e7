// Tar archives: read in every dialect and compression that libarchive knows, written as pax, which
// holds names of any bytes, times to the nanosecond, extended attributes (as GNU tar has them with
// --xattrs) and holes. Access control lists are read and written in two ways: as text, as --acls
// has them, and as extended attributes, which count where a reader finds both.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// Reads an archive to its end. What stands where no header can be read is passed over and left out,
// up to the next header; and so is what stands behind the archive's end, and what may have stood
// behind it if it lacks the mark of its end. kInvalid for what is no archive, or ends in the middle
// of an entry, which is not handed on then.
Result<void> ReadTar(const ByteSource& source, EntrySink& sink);

std::unique_ptr<EntryWriter> MakeTarWriter(const ByteSink& out);

}  // namespace kvfs::cli
