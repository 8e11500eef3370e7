// `kvfs get`: writes the exact bytes of a value to standard output.

#include <memory>

#include "cli/base/standard_streams.h"
#include "cli/client/byte_streams.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/held_output.h"

namespace kvfs::cli {
namespace {

struct GetArguments {
  std::string store;
  std::string path;
};

CommandResult<> Get(const GetArguments& arguments) {
  KVFS_TRY(CheckKeyPath(arguments.path));
  KVFS_TRY(RequireStandardOutput());
  HeldOutput output(StandardOutput());
  std::string resolved;
  const auto explain = [&](const Error& error) {
    return tl::unexpected(ExplainKeyError("get", arguments.path, resolved, error));
  };
  const CommandResult<> got =
      WithKeys(arguments.store, "get", KeysUse::kRead,
               [&](Keys& keys, const std::string& store) -> CommandResult<> {
                 resolved = store;
                 const auto read = keys.Get(arguments.path, output.Sink());
                 return read ? CommandResult<>() : explain(read.error());
               });
  const auto written = output.Finish();
  return got && !written ? explain(written.error()) : got;
}

}  // namespace

Runner DefineGet(CLI::App& parser) {
  const auto arguments = std::make_shared<GetArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The key, as foo or a/b/foo")->required();
  parser.footer(
      "An absent key is an error (exit status 11), an empty value is not.\n"
      "Example: kvfs get ~/store foo");
  return [arguments] { return Get(*arguments); };
}

}  // namespace kvfs::cli
