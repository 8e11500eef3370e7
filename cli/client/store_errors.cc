// One message for each kind of error, with the command that helps, if there is one.

#include "cli/client/store_errors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

namespace kvfs::cli {
namespace {

// By this user, or because of the medium.
bool MayOnlyBeRead(const std::string& store_path) {
  const std::string superblock = store_path + "/superblock";
  return ::access(superblock.c_str(), R_OK) == 0 && ::access(superblock.c_str(), W_OK) != 0;
}

bool IsOtherThanDirectory(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error) &&
         !error;
}

}  // namespace

CommandError ExplainStoreError(const std::string& store_path, const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return {ExitCode::kNoStore,
              IsOtherThanDirectory(store_path)
                  ? fmt::format("no store at {}: it is not a directory", store_path)
                  : fmt::format("no store at {0}; `kvfs create {0}` creates one", store_path)};
    case ErrorCode::kExists:
      return {ExitCode::kNoStore, fmt::format("there is already a store at {}", store_path)};
    case ErrorCode::kInUse:
      return {ExitCode::kStoreInUse,
              fmt::format("the store at {} cannot be opened twice: {}; end that process first",
                          store_path, error.message)};
    case ErrorCode::kPermission:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot use the store at {}: {}{}", store_path, error.message,
                          MayOnlyBeRead(store_path) ? "; it can be read, but not changed" : "")};
    default:
      return {ExitCodeOfStore(error.code),
              fmt::format("cannot use the store at {}: {}", store_path, error.message)};
  }
}

}  // namespace kvfs::cli
