// POSIX access control lists, in the kernel's form: extended attributes.
//
// The kernel checks permissions with them. The file system only keeps list and mode consistent: the
// mode's group bits are the list's mask. The rules are those of Linux (fs/posix_acl.c). Layout,
// little-endian: version, 2 (4 bytes); then entries of tag (2), permissions (2) and id (4), in the
// order of their tags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <kvfs/status.h>

namespace kvfs::fs {

inline constexpr std::string_view kAccessListXattr = "system.posix_acl_access";
inline constexpr std::string_view kDefaultListXattr = "system.posix_acl_default";

class AccessList {
 public:
  // The kernel's numbers. For kUser and kGroup, `id` is the named user or group.
  enum Tag : uint16_t {
    kOwner = 0x01,
    kUser = 0x02,
    kOwningGroup = 0x04,
    kGroup = 0x08,
    kMask = 0x10,
    kOthers = 0x20,
  };
  struct Entry {
    uint16_t tag = 0;
    uint16_t permissions = 0;
    uint32_t id = 0;
  };

  // Takes entries in any order, as in text form; a required but missing mask becomes the union of
  // the permissions that it limits. kInvalid as for Decode.
  static Result<AccessList> FromEntries(std::vector<Entry> entries);
  // kInvalid if the bytes are not a list, or the list lacks a required entry.
  static Result<AccessList> Decode(std::string_view bytes);
  std::string Encode() const;
  const std::vector<Entry>& entries() const { return entries_; }

  // Whether the mode alone can express the list, so that the list is not needed.
  bool SaysNoMoreThanMode() const;

  // `mode`, with the list's permission bits.
  uint32_t ModeOf(uint32_t mode) const;
  // Sets the list's permissions to those of `mode` (chmod).
  void TakeMode(uint32_t mode);
  // Turns a directory's default list into the list of a new file, created with `mode`; returns the
  // file's mode.
  uint32_t Inherit(uint32_t mode);

 private:
  Entry& At(uint16_t tag);
  const Entry* FindEntry(uint16_t tag) const;
  // The entry for the mode's group bits: the mask, or the owning group if there is no mask.
  Entry& GroupClass();

  std::vector<Entry> entries_;  // INVARIANT: exactly one owner, one owning group and one others
};

}  // namespace kvfs::fs
