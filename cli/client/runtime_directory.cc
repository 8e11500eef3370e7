// The directory itself is never opened through a link; the path above it belongs to root, or comes
// from the caller's environment.

#include "cli/client/runtime_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace kvfs::cli {
namespace {

constexpr const char* kName = "kvfs";
constexpr const char* kOfSystem = "/run";
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

std::string OfUser(uid_t user) { return fmt::format("/run/user/{}", user); }

std::string OfThisUser() {
  const char* const told = std::getenv("XDG_RUNTIME_DIR");
  return told != nullptr && *told == '/' ? told : OfUser(::geteuid());
}

Descriptor OpenBase(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// `owner` is a further trusted owner, besides root and this user.
Descriptor OpenTrusted(const Descriptor& base, uid_t owner) {
  Descriptor directory(
      ::openat(base.number(), kName, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!directory.valid() || ::fstat(directory.number(), &status) != 0) return {};
  const bool is_known =
      status.st_uid == 0 || status.st_uid == ::geteuid() || status.st_uid == owner;
  if (!is_known || (status.st_mode & kOthersWrite) != 0) return {};
  return directory;
}

Descriptor MakeIn(const std::string& path) {
  const Descriptor base = OpenBase(path);
  if (!base.valid()) return {};
  // An existing directory is used if it is trusted.
  ::mkdirat(base.number(), kName, 0700);
  return OpenTrusted(base, ::geteuid());
}

}  // namespace

std::string RuntimeSocketName(const struct stat& store) {
  return fmt::format("store-{:x}-{:x}", store.st_dev, store.st_ino);
}

Descriptor MakeRuntimeDirectory() {
  // Root's login session, and with it the session's directory, may end before the daemon.
  Descriptor of_system = ::geteuid() == 0 ? MakeIn(kOfSystem) : Descriptor();
  return of_system.valid() ? std::move(of_system) : MakeIn(OfThisUser());
}

std::vector<Descriptor> FindRuntimeDirectories(uid_t store_owner) {
  std::vector<Descriptor> found;
  for (const std::string& path : {std::string(kOfSystem), OfThisUser(), OfUser(store_owner)}) {
    const Descriptor base = OpenBase(path);
    if (!base.valid()) continue;
    if (auto directory = OpenTrusted(base, store_owner); directory.valid()) {
      found.push_back(std::move(directory));
    }
  }
  return found;
}

}  // namespace kvfs::cli
