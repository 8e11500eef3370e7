// What a store's lock file tells an observer: who has the store open, and for what.
//
// The file is STORE/lock. While a process holds the store it holds a flock on the file, whose text
// is "pid <number>\n<purpose>\n", and then zeros; a clean end leaves zeros only. So a text without
// a flock was left by a process that died. The program's own purposes are "mount <absolute mount
// point>" for a daemon, and "kvfs <command>" for a command that needs the store for a moment.
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

// Empty for a text of another shape. Pure.
std::optional<StoreHolder> ParseHolder(std::string_view text);

// Reads the text; empty also if there is no such file.
std::optional<StoreHolder> ReadHolder(const std::string& store_path);

std::string LockFilePath(const std::string& store_path);

std::string MountPurpose(std::string_view mount_point);
std::string CommandPurpose(std::string_view command);
// The mount point, if the holder is a daemon.
std::optional<std::string> MountPointOf(const StoreHolder& holder);
bool IsCommand(const StoreHolder& holder);

// Whether some process holds the flock. Takes it for an instant to find out. False as well if the
// file cannot be opened.
bool IsHeld(const std::string& store_path);

// Whether process `pid` has the lock file open: tells a holder from a process that got its number
// later. False if its descriptors may not be looked at.
bool HasLockFileOpen(pid_t pid, const std::string& store_path);

}  // namespace kvfs::cli
