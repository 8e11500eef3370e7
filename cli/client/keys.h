// The keys of a store for the data commands, whether a daemon serves the store or not.
//
// A store that nobody has open is opened; of one that is mounted the daemon is asked, over its
// socket, and runs the same code (cli/client/file_system_keys.h): so both give the same results.
// Symbolic links are never followed, "." and ".." are no names.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <kvfs/bytes.h>
#include <kvfs/status.h>
#include "cli/base/command_result.h"
#include "fs/content_source.h"
#include "fs/data_ranges.h"
#include "fs/path_operation.h"

namespace kvfs::cli {

using ByteSink = std::function<Result<void>(Bytes piece)>;
// The same with the place of each piece; what no piece covers are zeros.
using DataSink = std::function<Result<void>(uint64_t offset, Bytes piece)>;
// Fills what it can of the buffer; returns the number of bytes, 0 at the end.
using ByteSource = std::function<Result<size_t>(MutableBytes buffer)>;
using KeyVisitor = std::function<Result<void>(std::string_view name, const fs::InodeInfo& inode)>;

// Changes of one Apply together have at most so many bytes of values.
inline constexpr size_t kMaxBatchBytes = size_t{256} << 20;

class Keys {
 public:
  virtual ~Keys() = default;

  // What the path names, a symbolic link included; the root for "/". kNotFound.
  virtual Result<fs::InodeInfo> Stat(const std::string& path) = 0;
  // Visits what lies in the directory, in no order; of another path, what it names. Ends with the
  // first error of `visit`. kNotFound. The visitor must not use the Keys.
  virtual Result<void> List(const std::string& path, const KeyVisitor& visit) = 0;
  // Hands the value to `sink` in pieces, holes of large ones left out; returns its size. kNotFound
  // if the key is absent; kIsDirectory.
  virtual Result<uint64_t> GetData(const std::string& path, const DataSink& sink) = 0;
  // Where the value of a regular file has data; between lie holes.
  virtual Result<std::vector<fs::ByteRange>> GetDataRanges(const std::string& path) = 0;
  virtual Result<fs::XattrMap> GetXattrs(const std::string& path) = 0;
  // The target of a symbolic link. kNotFound; kInvalid.
  virtual Result<std::string> ReadLink(const std::string& path) = 0;
  // Makes all changes at once or none: see FileSystem::ApplyChanges. `failed`, if given, gets the
  // number of the change that was refused.
  virtual Result<void> Apply(const std::vector<fs::PathOperation>& changes,
                             size_t* failed = nullptr) = 0;
  // The same, where the last change is a kPut and its value, of any size, is what `content` gives;
  // nothing of it is seen before all of it is there.
  virtual Result<void> ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                        const fs::ContentSource& content,
                                        size_t* failed = nullptr) = 0;
  // From now on all calls see the store as it is now, whatever others change. Changes are refused.
  virtual Result<void> Freeze() = 0;
  // Makes all changes durable.
  virtual Result<void> Sync() = 0;
  // The same, and lets go of the store. No call may follow.
  virtual Result<void> Finish() = 0;

  // Whether the daemon has ended that was asked, so that nobody knows what it has done of a change
  // that failed.
  virtual bool HasLostDaemon() const { return false; }

  // The value with its zeros.
  Result<void> Get(const std::string& path, const ByteSink& sink);
};

// The source without holes.
fs::ContentSource ContentFrom(ByteSource source);

enum class KeysUse { kRead, kChange };

// Opens the keys of the store at `store_path`, which is resolved, for the command of that name. To
// read, a store that nobody serves is opened so that nothing of it is written, beside others who
// read: on a medium, and by a user, that need not let it be changed.
CommandResult<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path,
                                              std::string_view command, KeysUse use);

// kUsage for a path that is not a key's: empty, with a component "." or "..".
CommandResult<> CheckKeyPath(const std::string& path);
// The same for a directory, which may be the root.
CommandResult<> CheckDirectoryPath(const std::string& path);

// Puts an error of one of the calls above into words: "cannot get foo from /srv/store: ...".
CommandError ExplainKeyError(std::string_view doing, const std::string& path,
                             const std::string& store_path, const Error& error);

// The same for what makes a key: one that is not found is a directory on the way to it.
CommandError ExplainMakingError(std::string_view doing, const std::string& path,
                                const std::string& store_path, const Error& error);

// Why, for the end of a sentence.
std::string_view ReasonOfKeyError(const Error& error);
// Why a change was refused.
std::string ReasonOfChangeError(const fs::PathOperation& change, const Error& error);

}  // namespace kvfs::cli
