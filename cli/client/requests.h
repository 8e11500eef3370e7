// The protocol between commands and a daemon. A connection begins with `hello`, the program's
// version and the protocol's number: both sides must be of the same version, since the protocol may
// change between versions.
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
// Instead of `ok` the daemon may reply `error CODE TEXT FAILED`. A command that disconnects cancels
// its request; a `put` without its `end` changes nothing. After `freeze` all replies show the store
// as of that moment, until the connection ends.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/status.h>
#include "fs/path_operation.h"

namespace kvfs::cli {

// Incremented with each change of the protocol, released or not: the running daemon may be an older
// build of the same version.
inline constexpr uint64_t kProtocol = 5;

// Names are sent in groups: a message is sent when it has this many bytes.
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

// Fields of messages. Each Decode fails with kInvalid for input that its Encode cannot produce.
std::string EncodeNumber(uint64_t number);
Result<uint64_t> DecodeNumber(std::string_view field);
std::string EncodeInode(const fs::InodeInfo& inode);
Result<fs::InodeInfo> DecodeInode(std::string_view field);
// Appends an entry to a field of entries; visits the entries of such a field, up to the first
// error.
void AppendEntry(std::string& entries, std::string_view name, const fs::InodeInfo& inode);
using EntryVisitor = std::function<Result<void>(std::string_view name, const fs::InodeInfo& inode)>;
Result<void> DecodeEntries(std::string_view entries, const EntryVisitor& visit);
std::string EncodeChange(const fs::PathOperation& change);
Result<fs::PathOperation> DecodeChange(std::string_view field);

}  // namespace kvfs::cli
