// Choosing the way to the keys, and what both ways share.

#include "cli/keys.h"

#include <fmt/format.h>

#include "cli/mounted_keys.h"
#include "cli/store_access.h"
#include "cli/store_keys.h"

namespace kvfs::cli {
namespace {

std::string_view Reason(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return "there is no such key";
  if (error.code == ErrorCode::kIsDirectory) return "it is a directory";
  if (error.code == ErrorCode::kNotDirectory) return "a part of the path is not a directory";
  if (error.code == ErrorCode::kNotEmpty) return "the directory is not empty";
  return error.message.empty() ? "the store refuses it" : std::string_view(error.message);
}

}  // namespace

Answer<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path, std::string_view command) {
  OpenOptions options;
  options.purpose = CommandPurpose(command);
  auto store = OpenPatiently(store_path, options);
  if (store) return StoreKeys::Open(store_path, *std::move(store));
  if (store.error().code == ErrorCode::kInUse) {
    if (const auto mount_point = FindLiveMount(store_path)) return MountedKeys::Open(*mount_point);
  }
  return tl::unexpected(ExplainStoreError(store_path, store.error()));
}

Outcome CheckKeyPath(const std::string& path) {
  bool any = false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = std::string_view(path).substr(begin, end - begin);
    if (component == "." || component == "..") {
      return Stop(
          ExitCode::kUsage,
          fmt::format("the key {} has a component \"{}\", which no key can have", path, component));
    }
    any = any || !component.empty();
    begin = end + 1;
  }
  if (any) return {};
  return Stop(ExitCode::kUsage, "a key needs a name of at least one byte");
}

Failure ExplainKeyError(std::string_view doing, const std::string& path,
                        const std::string& store_path, const Error& error) {
  return {ExitCodeOfKey(error.code),
          fmt::format("cannot {} {} in {}: {}", doing, path, store_path, Reason(error))};
}

}  // namespace kvfs::cli
