// A directory of the real file system, and its files, opened without following links.
//
// The owner of a store's directory can put anything there, and root may use that store. So a file
// is opened relative to its directory's descriptor, without following links, and accepted only if
// it is a regular file with a single name that belongs to the directory's owner. New files are
// given to that owner, whoever creates them. In a directory owned by root, such as a volume made
// for a service, the caller's own files are accepted, too.
//
// A refusal is kPermission, not damage: the stored data is not at fault.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "store/env/posix_error.h"

namespace kvfs {

class PosixDirectory {
 public:
  enum class Links { kFollow, kRefuse };

  // Opens the directory `path`; `links` tells whether to follow links. kNotFound if there is none.
  static Result<PosixDirectory> Open(const std::string& path, Links links = Links::kFollow);
  // Opens the directory of the file `path`, or the working directory if `path` is a bare name.
  static Result<PosixDirectory> OpenAbove(const std::string& path);
  // Opens a directory in this one; it must belong to the same owner. `shown`, here and below, is
  // the path in messages.
  Result<PosixDirectory> OpenDirectory(const std::string& name, const std::string& shown) const;

  // Opens a file; kNotFound if there is none.
  Result<Descriptor> OpenFile(const std::string& name, int flags, const std::string& shown) const;
  // Creates a file; kExists if the name is taken.
  Result<Descriptor> CreateFile(const std::string& name, const std::string& shown) const;
  Result<void> CreateDirectory(const std::string& name, const std::string& shown) const;

  // Opens the directory itself (".") for reading.
  Result<Descriptor> OpenSelf(std::string_view operation, const std::string& shown) const;
  int number() const { return descriptor_.number(); }

 private:
  PosixDirectory(Descriptor descriptor, uid_t owner, gid_t group)
      : descriptor_(std::move(descriptor)), owner_(owner), group_(group) {}

  static Result<PosixDirectory> Take(Descriptor descriptor, const std::string& shown);
  Result<void> CheckKind(const struct stat& found, const std::string& shown) const;
  Result<void> CheckOwner(const struct stat& found, const std::string& shown) const;
  Result<void> GiveToOwner(int number, const std::string& shown) const;

  Descriptor descriptor_;
  uid_t owner_;
  gid_t group_;
};

}  // namespace kvfs
