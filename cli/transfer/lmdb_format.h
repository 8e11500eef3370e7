// The text that mdb_dump writes and mdb_load reads: names and values, no attributes.
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

// kInvalid names the line where it cannot go on: one of the header, one that is neither a key nor a
// value, the end without DATA=END, where the text has been cut off. The entries before it have been
// handed on. A key or value that is not as the format says is left out, and so is a key without a
// value. Of several values of a key (dupsort=1) the first stays, and the others are told.
Result<void> ReadLmdb(const ByteSource& source, EntrySink& sink);
// In bytevalue; what is not a file, or has a longer path than LMDB has keys, is left out. The
// header tells `map_bytes`, so that mdb_load makes a database that holds it.
std::unique_ptr<EntryWriter> MakeLmdbWriter(const ByteSink& out, uint64_t map_bytes);
// Enough for what lies in the directory, by a look at all sizes.
Result<uint64_t> LmdbMapBytes(Keys& keys, const std::string& top);

}  // namespace kvfs::cli
