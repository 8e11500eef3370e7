// The mount options uid, gid and umask: owner and permissions that a mount shows, and the kernel
// checks, instead of the stored ones.
//
// The stored attributes stay, and show again on a mount without the options. Changes of modes and
// owners are stored, though not shown; new files belong to the shown owner. The shown owner need
// not be the stored one: hence no setuid or setgid bit is shown or stored through such a mount,
// which could make a user become the stored owner on another mount.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/attributes.h"
#include "fs/ownership.h"

namespace kvfs::fs {

struct ShownOwner {
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  // Permissions removed from all files and directories, which have all others. Symbolic links,
  // whose permissions have no meaning, are excepted.
  std::optional<uint32_t> umask = {};

  bool operator==(const ShownOwner&) const = default;

  bool IsAny() const { return uid || gid || umask; }
  // Stored attributes as the mount shows them.
  void Show(Attributes& attributes) const;
  // The mode to store when a call requests `mode`, which may include the type.
  uint32_t Storable(uint32_t mode) const;
  // The owner of what `caller` creates.
  Caller Creator(Caller caller) const;
};

}  // namespace kvfs::fs
