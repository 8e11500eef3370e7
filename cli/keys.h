// The keys of a store for the data commands, whether a daemon serves the store or not.
//
// A store that nobody has open is opened; one that is mounted is used through its mount point, so
// that kernel and daemon know of every change. Both refuse symbolic links and "..", and give the
// same results.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/failure.h"
#include "store/bytes.h"
#include "store/status.h"

namespace kvfs::cli {

using ByteSink = std::function<Result<void>(Bytes piece)>;
// Fills what it can of the buffer; returns the number of bytes, 0 at the end.
using ByteSource = std::function<Result<size_t>(MutableBytes buffer)>;

class Keys {
 public:
  virtual ~Keys() = default;

  // Hands the value to `sink` in pieces. kNotFound if the key is absent; kIsDirectory.
  virtual Result<void> Get(const std::string& path, const ByteSink& sink) = 0;
  // Creates the key or replaces its value. kNotFound if its directory is absent; kIsDirectory.
  virtual Result<void> Put(const std::string& path, const ByteSource& source) = 0;
  // kNotFound; kIsDirectory.
  virtual Result<void> Delete(const std::string& path) = 0;
  // Names in the directory, or the name of the file, in the order of their bytes. kNotFound.
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;
  // Makes all changes durable and lets go of the store. No call may follow.
  virtual Result<void> Finish() = 0;
};

// Opens the keys of the store at `store_path`, which is resolved, for the command of that name.
Answer<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path, std::string_view command);

// kUsage for a path that is not a key's: empty, with a component "." or "..".
Outcome CheckKeyPath(const std::string& path);

// Puts an error of one of the calls above into words: "cannot get foo from /srv/store: ...".
Failure ExplainKeyError(std::string_view doing, const std::string& path,
                        const std::string& store_path, const Error& error);

}  // namespace kvfs::cli
