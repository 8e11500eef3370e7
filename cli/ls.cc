// `kvfs ls`: the names in a directory of the store, one a line, in the order of their bytes.

#include <memory>

#include "cli/byte_streams.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/store_access.h"

namespace kvfs::cli {
namespace {

struct LsArguments {
  std::string store;
  std::string path;
};

std::string JoinLines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + '\n';
  return text;
}

Outcome CheckDirectoryPath(const std::string& path) {
  if (path.find_first_not_of('/') == std::string::npos) return {};  // the root
  return CheckKeyPath(path);
}

Outcome List(const LsArguments& arguments) {
  const Outcome valid = CheckDirectoryPath(arguments.path);
  if (!valid) return valid;
  const auto store = ResolveStore(arguments.store, IfMissing::kFail);
  if (!store) return tl::unexpected(store.error());
  const auto keys = OpenKeys(*store, "ls");
  if (!keys) return tl::unexpected(keys.error());
  const auto listed =
      (*keys)
          ->List(arguments.path)
          .and_then([&](const auto& names) { return StandardOutput()(AsBytes(JoinLines(names))); })
          .and_then([&] { return (*keys)->Finish(); });
  if (listed) return {};
  return tl::unexpected(ExplainKeyError("list", arguments.path, *store, listed.error()));
}

}  // namespace

Runner DefineLs(CLI::App& parser) {
  const auto arguments = std::make_shared<LsArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The directory in it; without one, its top");
  parser.footer("Example: kvfs ls ~/store");
  return [arguments] { return List(*arguments); };
}

}  // namespace kvfs::cli
