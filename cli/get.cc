// `kvfs get`: the bytes of a value, and nothing else, to standard output.

#include <memory>

#include "cli/byte_streams.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/store_access.h"

namespace kvfs::cli {
namespace {

struct GetArguments {
  std::string store;
  std::string path;
};

Outcome Get(const GetArguments& arguments) {
  const Outcome valid = CheckKeyPath(arguments.path);
  if (!valid) return valid;
  const auto store = ResolveStore(arguments.store, IfMissing::kFail);
  if (!store) return tl::unexpected(store.error());
  const auto keys = OpenKeys(*store, "get");
  if (!keys) return tl::unexpected(keys.error());
  auto got = (*keys)->Get(arguments.path, StandardOutput());
  if (got) got = (*keys)->Finish();
  if (got) return {};
  return tl::unexpected(ExplainKeyError("get", arguments.path, *store, got.error()));
}

}  // namespace

Runner DefineGet(CLI::App& parser) {
  const auto arguments = std::make_shared<GetArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The key, as foo or a/b/foo")->required();
  parser.footer(
      "An absent key is an error (exit code 11), told apart from an empty value.\n"
      "Example: kvfs get ~/store foo");
  return [arguments] { return Get(*arguments); };
}

}  // namespace kvfs::cli
