// What a command and a daemon say to each other. A connection begins with `hello`, the program's
// version and the protocol's: the two sides must be of one version, since what follows may change
// between them.
//
//   command                            daemon
//   hello VERSION PROTOCOL UMASK       ok; new files get no permissions that are in UMASK
//   stat PATH                          ok INODE
//   list PATH                          entries ENTRIES ..., ok
//   get PATH                           data OFFSET BYTES ..., ok SIZE
//   ranges PATH                        ok OFFSET LENGTH ...
//   xattrs PATH                        ok XATTRS
//   readlink PATH                      ok TARGET
//   put CHANGE..., data HOLE BYTES ..., end   ok; or cancel instead of end: then an error
//   apply CHANGE...                    ok
//   freeze                             ok
//   sync                               ok
//   options                            ok TEXT..., those of the mount
//   stats                              ok NUMBER...
//   check                              finding KIND TEXT | progress DONE TOTAL ..., ok NUMBER...
//   compact                            ok
//
// Instead of `ok` the daemon may say `error CODE TEXT FAILED`. A command that goes away ends what
// it has asked for; a `put` without its `end` changes nothing. After `freeze` all answers are as of
// that moment, until the connection ends.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/status.h>
#include "fs/path_operation.h"

namespace kvfs::cli {

// Grows with each change of what is said here, released or not: a daemon may have been started by
// an older build of the same version.
inline constexpr uint64_t kProtocol = 5;

// Names are sent many together: a message is ended when it has so many bytes.
inline constexpr size_t kEntriesBytes = size_t{64} << 10;

namespace request {
inline constexpr std::string_view kHello = "hello";
inline constexpr std::string_view kStat = "stat";
inline constexpr std::string_view kList = "list";
inline constexpr std::string_view kGet = "get";
inline constexpr std::string_view kRanges = "ranges";
inline constexpr std::string_view kXattrs = "xattrs";
inline constexpr std::string_view kReadLink = "readlink";
inline constexpr std::string_view kPut = "put";
inline constexpr std::string_view kApply = "apply";
inline constexpr std::string_view kFreeze = "freeze";
inline constexpr std::string_view kSync = "sync";
inline constexpr std::string_view kOptions = "options";
inline constexpr std::string_view kStats = "stats";
inline constexpr std::string_view kCheck = "check";
inline constexpr std::string_view kCompact = "compact";

inline constexpr std::string_view kOk = "ok";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kData = "data";
inline constexpr std::string_view kEnd = "end";
inline constexpr std::string_view kCancel = "cancel";
inline constexpr std::string_view kEntries = "entries";
inline constexpr std::string_view kFinding = "finding";
inline constexpr std::string_view kProgress = "progress";
}  // namespace request

// Fields of messages. Each Decode fails with kInvalid for what its Encode does not make.
std::string EncodeNumber(uint64_t number);
Result<uint64_t> DecodeNumber(std::string_view field);
std::string EncodeInode(const fs::InodeInfo& inode);
Result<fs::InodeInfo> DecodeInode(std::string_view field);
// Adds one to a field of entries, and visits those of such a field, up to the first error.
void AppendEntry(std::string& entries, std::string_view name, const fs::InodeInfo& inode);
using EntryVisitor = std::function<Result<void>(std::string_view name, const fs::InodeInfo& inode)>;
Result<void> DecodeEntries(std::string_view entries, const EntryVisitor& visit);
std::string EncodeChange(const fs::PathOperation& change);
Result<fs::PathOperation> DecodeChange(std::string_view field);

}  // namespace kvfs::cli
