// One table, by the kernel's numbers of file systems.
#include "cli/commands/file_system_kind.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace kvfs::cli {
namespace {

constexpr std::string_view kCopyOnWrite =
    "copy-on-write: on a full disk changes, even deletes, may be refused until there is space; "
    "nothing is lost by that";
constexpr std::string_view kBtrfs =
    "btrfs: kvfs makes its files overwritable in place (as by `chattr +C`), so that deletes work "
    "on a full disk; in a snapshot or a reflinked copy of the store they may fail until there is "
    "space";
constexpr std::string_view kNetwork =
    "remote, or served by a program: a store needs a local one, since durability, locks and "
    "mappings are not guaranteed there";
constexpr std::string_view kMemory = "in memory: nothing outlives the machine, synced or not";
constexpr std::string_view kOverlay =
    "overlayfs: the first opening of a store in a lower layer copies its files; and a container's "
    "own layer is lost with the container";

struct Kind {
  uint64_t type;
  std::string_view caveat;
};

// The numbers are from linux/magic.h, or from the file system's own sources.
constexpr std::array kKinds = {
    Kind{0x9123683e, kBtrfs},       Kind{0xca451a4e, kCopyOnWrite},  // bcachefs
    Kind{0x2fc12fc1, kCopyOnWrite},                                  // zfs
    Kind{0x794c7630, kOverlay},     Kind{0x01021994, kMemory},       // tmpfs
    Kind{0x858458f6, kMemory},                                       // ramfs
    Kind{0x6969, kNetwork},                                          // nfs
    Kind{0xff534d42, kNetwork},                                      // cifs
    Kind{0xfe534d42, kNetwork},                                      // smb2
    Kind{0x00c36400, kNetwork},                                      // ceph
    Kind{0x01021997, kNetwork},                                      // 9p
    Kind{0x5346414f, kNetwork},                                      // afs
    Kind{0x65735546, kNetwork},                                      // fuse
};

}  // namespace

std::string_view CaveatOfFileSystem(uint64_t type) {
  const auto found = std::ranges::find(kKinds, type, &Kind::type);
  return found == kKinds.end() ? std::string_view() : found->caveat;
}

std::string_view CaveatAt(const std::string& path) {
  std::error_code error;
  std::filesystem::path present = std::filesystem::absolute(path, error);
  while (!error && !std::filesystem::exists(present, error) && present.has_relative_path()) {
    present = present.parent_path();
  }
  struct statfs status {};
  if (::statfs(present.c_str(), &status) != 0) return {};
  return CaveatOfFileSystem(static_cast<uint32_t>(status.f_type));
}

}  // namespace kvfs::cli
