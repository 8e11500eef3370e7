// Entries as JSON, one a line: {"path":"a/b","kind":"file","value":"...","mode":"0644", ...}.
//
// A line needs "path", and "value" unless "kind" is "directory"; a link has "target". Bytes that
// are not UTF-8 stand in base64 under "path_base64" and so on. "xattrs" is a list of {"name":...,
// "value":...}. A further name of an entry above has nothing but "path" and "same_as", which is the
// path of that. Without "mode" an entry is made as
// `kvfs put` makes it; with it, "uid", "gid", "mtime", "ctime", "atime" and "device" count, too.
#pragma once

#include <memory>

#include "cli/transfer.h"

namespace kvfs::cli {

// kInvalid names the line that makes no sense.
Result<void> ReadJsonLines(const ByteSource& source, EntrySink& sink);
std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out);

}  // namespace kvfs::cli
