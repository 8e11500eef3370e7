// Attributes without an option are shown as stored; with any option, set-id bits are neither shown
// nor stored.
#include "fs/fuse/shown_owner.h"

#include <sys/stat.h>

namespace kvfs::fs {
namespace {

constexpr uint32_t kPermissions = 0777;
constexpr uint32_t kSetIdBits = S_ISUID | S_ISGID;

}  // namespace

void ShownOwner::Show(Attributes& attributes) const {
  attributes.uid = uid.value_or(attributes.uid);
  attributes.gid = gid.value_or(attributes.gid);
  attributes.mode = Storable(attributes.mode);
  if (umask && !attributes.IsSymbolicLink())
    attributes.mode = (attributes.mode & S_IFMT) | (kPermissions & ~*umask);
}

uint32_t ShownOwner::Storable(uint32_t mode) const { return IsAny() ? mode & ~kSetIdBits : mode; }

Caller ShownOwner::Creator(Caller caller) const {
  caller.uid = uid.value_or(caller.uid);
  caller.gid = gid.value_or(caller.gid);
  return caller;
}

}  // namespace kvfs::fs
