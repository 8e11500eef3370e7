// Reads a store's lock file: which process has the store open, and for what.
//
// The file is STORE/lock. A process that has the store open holds a flock on the file, whose text
// is "pid <number>\n<purpose>\n", followed by zeros; a clean release leaves only zeros. So a text
// without a flock was left by a process that died. The program's own purposes are "mount <absolute
// mount point>" for a daemon, and "kvfs <command>" for a command that opens the store briefly.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace kvfs::cli {

struct StoreHolder {
  pid_t pid = 0;
  std::string purpose;

  bool operator==(const StoreHolder&) const = default;
};

// Nothing if the text is malformed. Pure.
std::optional<StoreHolder> ParseHolder(std::string_view text);

// Reads the text; nothing also if there is no such file.
std::optional<StoreHolder> ReadHolder(const std::string& store_path);

std::string LockFilePath(const std::string& store_path);

std::string MountPurpose(std::string_view mount_point);
std::string CommandPurpose(std::string_view command);
// The mount point, if the holder is a daemon.
std::optional<std::string> MountPointOf(const StoreHolder& holder);
bool IsCommand(const StoreHolder& holder);

// Whether some process holds the flock. Takes it briefly to find out. Also false if the file cannot
// be opened.
bool IsHeld(const std::string& store_path);

// Whether process `pid` has the lock file open: distinguishes a holder from a later process with
// the same id. False if its descriptors may not be inspected.
bool HasLockFileOpen(pid_t pid, const std::string& store_path);

}  // namespace kvfs::cli
