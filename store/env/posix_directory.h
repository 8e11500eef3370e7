// A directory of the real file system, and its files, which are reached through no link.
//
// Whoever owns a store's directory can put there what they like, and root may use that store. So a
// file is opened from its directory's descriptor, following nothing, and taken only if it is a
// regular file with one name that belongs to the owner of the directory. A file that is made is
// given to that owner, whoever makes it. In a directory of root's, such as a volume that is made
// for a service, the caller's own files are taken, too.
//
// What is refused so is kPermission, and no damage: nothing is wrong with what is stored.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "store/env/posix_error.h"

namespace kvfs {

class PosixDirectory {
 public:
  enum class Links { kFollow, kRefuse };

  // The directory that `path` names, through links or not. kNotFound if there is none.
  static Result<PosixDirectory> Open(const std::string& path, Links links = Links::kFollow);
  // The one that the file `path` lies in, as far as there is a name before its last one.
  static Result<PosixDirectory> OpenAbove(const std::string& path);
  // A directory in this one, which must belong to the same owner. It stands for it from then on.
  // `shown`, here and below, is the path in messages.
  Result<PosixDirectory> OpenDirectory(const std::string& name, const std::string& shown) const;

  // Opens a file; kNotFound if there is none.
  Result<Descriptor> OpenFile(const std::string& name, int flags, const std::string& shown) const;
  // Makes one; kExists if something is there.
  Result<Descriptor> CreateFile(const std::string& name, const std::string& shown) const;
  Result<void> CreateDirectory(const std::string& name, const std::string& shown) const;

  // "." of it, for reading.
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
