// What a command and a daemon say to each other. A connection begins with `hello` and the program's
// version: the two sides must be of one version, since what follows may change between them.
//
//   command                            daemon
//   hello VERSION                      ok
//   stat PATH                          ok INODE
//   list PATH                          entry NAME INODE ..., ok
//   get PATH                           data OFFSET BYTES ..., ok SIZE
//   ranges PATH                        ok OFFSET LENGTH ...
//   xattrs PATH                        ok XATTRS
//   readlink PATH                      ok TARGET
//   put CHANGE..., data HOLE BYTES ..., end   ok
//   apply CHANGE...                    ok
//   freeze                             ok
//   sync                               ok
//   stats                              ok NUMBER...
//   check                              finding KIND TEXT | progress DONE TOTAL ..., ok NUMBER...
//   compact                            ok
//
// Instead of `ok` the daemon may say `error CODE TEXT FAILED`. A command that goes away ends what
// it has asked for; a `put` without its `end` changes nothing. After `freeze` all answers are as of
// that moment, until the connection ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fs/file_change.h"
#include "store/status.h"

namespace kvfs::cli {

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
inline constexpr std::string_view kStats = "stats";
inline constexpr std::string_view kCheck = "check";
inline constexpr std::string_view kCompact = "compact";

inline constexpr std::string_view kOk = "ok";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kData = "data";
inline constexpr std::string_view kEnd = "end";
inline constexpr std::string_view kEntry = "entry";
inline constexpr std::string_view kFinding = "finding";
inline constexpr std::string_view kProgress = "progress";
}  // namespace request

// Fields of messages. Each Decode fails with kInvalid for what its Encode does not make.
std::string EncodeNumber(uint64_t number);
Result<uint64_t> DecodeNumber(std::string_view field);
std::string EncodeInode(const fs::InodeInfo& inode);
Result<fs::InodeInfo> DecodeInode(std::string_view field);
std::string EncodeChange(const fs::FileChange& change);
Result<fs::FileChange> DecodeChange(std::string_view field);

}  // namespace kvfs::cli
