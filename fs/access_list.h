// POSIX access control lists, as the kernel hands them out: in extended attributes.
//
// The kernel checks permissions by them. What is left to the file system is to keep list and mode
// in step, each of which tells of the other: the mode's group bits are the list's mask. The rules
// are those of Linux (fs/posix_acl.c). Layout, little-endian: version, 2 (4 bytes); then entries of
// tag (2), permissions (2) and id (4), in the order of their tags.
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
  // The numbers are the kernel's. Of a user or group that is named, `id` tells which.
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

  // Of entries in any order, as text has them; a mask that is missed is made, of all that it
  // limits. kInvalid as for Decode.
  static Result<AccessList> FromEntries(std::vector<Entry> entries);
  // kInvalid for bytes that are no list, or a list that lacks what each must have.
  static Result<AccessList> Decode(std::string_view bytes);
  std::string Encode() const;
  const std::vector<Entry>& entries() const { return entries_; }

  // Whether a mode says as much, so that nobody needs the list.
  bool SaysNoMoreThanMode() const;

  // The permission bits of `mode` as the list has them.
  uint32_t ModeOf(uint32_t mode) const;
  // Makes the list say what `mode` does (chmod).
  void TakeMode(uint32_t mode);
  // Makes a directory's default list that of a new file, which was asked for with `mode`; returns
  // the file's mode.
  uint32_t Inherit(uint32_t mode);

 private:
  Entry& At(uint16_t tag);
  const Entry* FindEntry(uint16_t tag) const;
  // What the mode's group bits stand for: the mask, or the owning group where there is none.
  Entry& GroupClass();

  std::vector<Entry> entries_;  // INVARIANT: one each of owner, owning group and others
};

}  // namespace kvfs::fs
