// The mount options uid, gid and umask: owner and permissions that a mount shows, and the kernel
// checks, in place of those that are stored.
//
// What is stored stays as it is, and shows again on a mount without the options. Changes are
// stored, though not shown: what a call asks of modes and owners is kept, and what is new belongs
// to the shown owner. But whoever the mount shows as the owner need not be the stored one: hence
// no setuid or setgid bit is shown or stored through such a mount, by which somebody would
// become the stored owner on another.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/attributes.h"
#include "fs/ownership.h"

namespace kvfs::fs {

struct ShownOwner {
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  // Permissions that nothing has; all others everything has, directories and files alike, but
  // symbolic links, whose permissions nobody looks at.
  std::optional<uint32_t> umask = {};

  bool operator==(const ShownOwner&) const = default;

  bool IsAny() const { return uid || gid || umask; }
  // Stored attributes as the mount shows them.
  void Show(Attributes& attributes) const;
  // The mode to be stored where a call asks for `mode`, whose type may be among its bits.
  uint32_t Storable(uint32_t mode) const;
  // On whose behalf a caller makes something new.
  Caller Creator(Caller caller) const;
};

}  // namespace kvfs::fs
