// Entries as JSON, one a line: {"path":"a/b","kind":"file","value":"...","mode":"0644", ...}.
//
// A line needs "path", and "value" unless "kind" is "directory"; a symbolic link has "target".
// Bytes that are not UTF-8 are given in base64 under "path_base64" and so on. "xattrs" is a list of
// {"name":..., "value":...}. Another name of an earlier entry has only "path" and "same_as", the
// path of that entry. "mode", "uid", "gid", "mtime", "ctime", "atime" and "device" are optional,
// and missing ones are as for a new file of the caller; without any of them a value is put as by
// `kvfs put`. If a path occurs twice, the last line counts, and this is reported.
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// An invalid line is reported by its number and left out; so is an invalid field. kInvalid if no
// line is JSON, or none of the first 100: the source is something else.
Result<void> ReadJsonLines(const ByteSource& source, EntrySink& sink);
std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out);

}  // namespace kvfs::cli
