// Choosing the way to the keys, and what both ways share.

#include "cli/keys.h"

#include <fmt/format.h>

#include "cli/daemon_client.h"
#include "cli/store_access.h"
#include "cli/store_keys.h"

namespace kvfs::cli {

Answer<std::unique_ptr<Keys>> OpenKeys(const std::string& store_path, std::string_view command) {
  OpenOptions options;
  options.purpose = CommandPurpose(command);
  auto reached = ReachStore(store_path, options);
  if (!reached) return tl::unexpected(reached.error());
  if (reached->store) return StoreKeys::Open(store_path, std::move(reached->store));
  return std::make_unique<DaemonKeys>(*std::move(reached->daemon));
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

Outcome CheckDirectoryPath(const std::string& path) {
  if (path.find_first_not_of('/') == std::string::npos) return {};  // the root
  return CheckKeyPath(path);
}

std::string_view ReasonOfKeyError(const Error& error) {
  if (error.code == ErrorCode::kNotFound) return "there is no such key";
  if (error.code == ErrorCode::kIsDirectory) return "it is a directory";
  if (error.code == ErrorCode::kNotDirectory) return "a part of the path is not a directory";
  if (error.code == ErrorCode::kNotEmpty) return "the directory is not empty";
  if (error.code == ErrorCode::kExists) return "there is something of that name already";
  if (error.code == ErrorCode::kNameTooLong) return "a name has at most 255 bytes";
  return error.message.empty() ? "the store refuses it" : std::string_view(error.message);
}

Failure ExplainKeyError(std::string_view doing, const std::string& path,
                        const std::string& store_path, const Error& error) {
  return {ExitCodeOfKey(error.code),
          fmt::format("cannot {} {} in {}: {}", doing, path, store_path, ReasonOfKeyError(error))};
}

}  // namespace kvfs::cli
