// The keys of a store for the data commands, whether or not a daemon serves the store.
//
// A store that no process has open is opened; for a mounted one, requests go to its daemon's
// socket, and the daemon runs the same code (cli/client/file_system_keys.h), so results are the
// same. Symbolic links are never followed, and "." and ".." are invalid names.
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
// The same with the offset of each piece; ranges not covered are zeros.
using DataSink = std::function<Result<void>(uint64_t offset, Bytes piece)>;
// Fills part of the buffer; returns the number of bytes, 0 at the end.
using ByteSource = std::function<Result<size_t>(MutableBytes buffer)>;
using KeyVisitor = std::function<Result<void>(std::string_view name, const fs::InodeInfo& inode)>;

// The maximum size of all values in one Apply.
inline constexpr size_t kMaxBatchBytes = size_t{256} << 20;

class Keys {
 public:
  virtual ~Keys() = default;

  // The entry at the path, which may be a symbolic link; the root for "/". kNotFound.
  virtual Result<fs::InodeInfo> Stat(const std::string& path) = 0;
  // Visits the children of a directory, in no order; for any other path, the entry itself. Ends
  // with the first error of `visit`, which must not use the Keys. kNotFound.
  virtual Result<void> List(const std::string& path, const KeyVisitor& visit) = 0;
  // Passes the value to `sink` in pieces, without the holes of a large value; returns its size.
  // kNotFound if the key is absent; kIsDirectory.
  virtual Result<uint64_t> GetData(const std::string& path, const DataSink& sink) = 0;
  // The ranges of a regular file that have data; the rest are holes.
  virtual Result<std::vector<fs::ByteRange>> GetDataRanges(const std::string& path) = 0;
  virtual Result<fs::XattrMap> GetXattrs(const std::string& path) = 0;
  // The target of a symbolic link. kNotFound; kInvalid.
  virtual Result<std::string> ReadLink(const std::string& path) = 0;
  // Applies all changes atomically: see FileSystem::ApplyChanges. `failed`, if not null, receives
  // the index of the change that was refused.
  virtual Result<void> Apply(const std::vector<fs::PathOperation>& changes,
                             size_t* failed = nullptr) = 0;
  // The same; the last change must be a kPut, and `content` provides its value, of any size. No
  // part of it is visible before it is complete.
  virtual Result<void> ApplyWithContent(const std::vector<fs::PathOperation>& changes,
                                        const fs::ContentSource& content,
                                        size_t* failed = nullptr) = 0;
  // From now on, all calls see the store as of now, whatever others change. Changes are refused.
  virtual Result<void> Freeze() = 0;
  // Makes all changes durable.
  virtual Result<void> Sync() = 0;
  // The same, and releases the store. No call may follow.
  virtual Result<void> Finish() = 0;

  // Whether the daemon ended during a request, so that it is unknown whether a failed change was
  // applied.
  virtual bool HasLostDaemon() const { return false; }

  // The value including its zeros.
  Result<void> Get(const std::string& path, const ByteSink& sink);
};

// A source without holes.
fs::ContentSource ContentFrom(ByteSource source);

enum class KeysUse { kRead, kChange };

// Opens the keys of the store at `store_path`, which must be resolved, for the command of that
// name. For reading, a store without a daemon is opened without any writes, shared with other
// readers: the medium, and the user's rights, may be read-only.
CommandResult<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path,
                                              std::string_view command, KeysUse use);

// kUsage for an invalid key: empty, or with a component "." or "..".
CommandResult<> CheckKeyPath(const std::string& path);
// The same for a directory, which may be the root.
CommandResult<> CheckDirectoryPath(const std::string& path);

// Explains an error of one of the calls above: "cannot get foo from /srv/store: ...".
CommandError ExplainKeyError(std::string_view doing, const std::string& path,
                             const std::string& store_path, const Error& error);

// The same for operations that create a key: kNotFound means a missing directory above it.
CommandError ExplainMakingError(std::string_view doing, const std::string& path,
                                const std::string& store_path, const Error& error);

// The reason alone, for the end of a sentence.
std::string_view ReasonOfKeyError(const Error& error);
// The reason why a change was refused.
std::string ReasonOfChangeError(const fs::PathOperation& change, const Error& error);

}  // namespace kvfs::cli
