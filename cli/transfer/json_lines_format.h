// Entries as JSON, one a line: {"path":"a/b","kind":"file","value":"...","mode":"0644", ...}.
//
// A line needs "path", and "value" unless "kind" is "directory"; a link has "target". Bytes that
// are not UTF-8 stand in base64 under "path_base64" and so on. "xattrs" is a list of {"name":...,
// "value":...}. A further name of an entry above has nothing but "path" and "same_as", which is the
// path of that. Of "mode", "uid", "gid",
// "mtime", "ctime", "atime" and "device" each is honoured, and what is missing is as for a new file
// of the caller; without any of them a value is put as `kvfs put` does it. Of a path that comes
// twice the last line counts, and it is told.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// A line that tells no entry is left out by its number, and so is a field that is none. kInvalid
// where no line is JSON, or none of the first 100: it is something else.
Result<void> ReadJsonLines(const ByteSource& source, EntrySink& sink);
std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out);

}  // namespace kvfs::cli
