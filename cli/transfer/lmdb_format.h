// The text format of mdb_dump and mdb_load: names and values, without attributes.
//
//   VERSION=3                   header, to HEADER=END; other lines of it are passed over
//   format=bytevalue            or print
//   database=NAME               of a named database: its keys go below a directory of that name
//   HEADER=END
//    6b6579                     a key, after one blank: in hexadecimal digits; or, in print, as it
//    76616c7565                 is, with \hh for bytes that do not print; then its value
//   DATA=END                    another header may follow
#pragma once

#include <memory>

#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// kInvalid names the line at which it cannot continue: an invalid header line, a line that is
// neither a key nor a value, or the end without DATA=END, where the text was truncated. Earlier
// entries have been passed on. A malformed key or value is left out, and so is a key without a
// value. Of several values of a key (dupsort=1) the first is kept, and the others are reported.
Result<void> ReadLmdb(const ByteSource& source, EntrySink& sink);
// Writes bytevalue format; anything but files, and paths longer than LMDB's keys, are left out. The
// header contains `map_bytes`, so that mdb_load creates a large enough database.
std::unique_ptr<EntryWriter> MakeLmdbWriter(const ByteSink& out, uint64_t map_bytes);
// A sufficient map size for the contents of the directory, computed from all sizes.
Result<uint64_t> LmdbMapBytes(Keys& keys, const std::string& top);

}  // namespace kvfs::cli
