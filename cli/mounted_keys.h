// Keys of a store that a daemon serves, by plain file calls below its mount point.
#pragma once

#include "cli/descriptor.h"
#include "cli/keys.h"

namespace kvfs::cli {

class MountedKeys final : public Keys {
 public:
  // kStoreInUse if there is no FUSE mount at the mount point any more.
  static Answer<std::unique_ptr<Keys>> Open(const std::string& mount_point);

  explicit MountedKeys(Descriptor root) : root_(std::move(root)) {}

  Result<void> Get(const std::string& path, const ByteSink& sink) override;
  Result<void> Put(const std::string& path, const ByteSource& source) override;
  Result<void> Delete(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Result<void> Finish() override { return {}; }  // each change was made durable by itself

 private:
  // Opens a path below the root, never leaving it and never following a symbolic link.
  Result<Descriptor> OpenBeneath(const std::string& path, int flags, unsigned mode = 0) const;
  Result<Descriptor> OpenRegular(const std::string& path, int flags, unsigned mode = 0) const;

  // Held open, so that nothing of what lies under the mount is ever touched should it go away.
  Descriptor root_;
};

}  // namespace kvfs::cli
