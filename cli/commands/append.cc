// `kvfs append`: appends bytes to a value atomically; creates the key if it is absent.

#include <fmt/format.h>

#include <memory>

#include "cli/client/store_place.h"
#include "cli/client/value_argument.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct AppendArguments {
  std::string store;
  std::string path;
  ValueArgument value;
};

CommandResult<> TooMuch(const std::string& path, const std::string& store) {
  return Fail(
      ExitCode::kUsage,
      fmt::format("cannot append to {} in {}: one append has at most 256 MiB; append in pieces, "
                  "for example with `split -b 100M --filter='kvfs append {} {}' FILE`",
                  path, store, store, path));
}

CommandResult<> Append(const AppendArguments& arguments) {
  KVFS_TRY(CheckKeyPath(arguments.path));
  KVFS_ASSIGN(const auto source, OpenValue(arguments.value));
  const auto store = ResolveStore(arguments.store, IfMissing::kFail);
  if (!store) return tl::unexpected(store.error());
  const auto explain = [&](const Error& error) {
    return tl::unexpected(ExplainMakingError("append to", arguments.path, *store, error));
  };
  // Read everything before opening the store, so that a slow source keeps nobody out.
  auto data = ReadWhole(source);
  if (!data && data.error().code == ErrorCode::kTooLarge) return TooMuch(arguments.path, *store);
  if (!data) return explain(data.error());
  fs::PathOperation append;
  append.kind = fs::PathOperation::Kind::kAppend;
  append.path = arguments.path;
  append.data = *std::move(data);
  const std::vector<fs::PathOperation> changes = {std::move(append)};
  const KeysWork work = [&](Keys& keys, const std::string&) -> CommandResult<> {
    const auto appended = keys.Apply(changes);
    return appended ? CommandResult<>() : explain(appended.error());
  };
  return WithKeys(*store, "append", KeysUse::kChange, work);
}

}  // namespace

Runner DefineAppend(CLI::App& parser) {
  const auto arguments = std::make_shared<AppendArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The key, as foo or a/b/foo")->required();
  DefineValue(parser, arguments->value);
  parser.footer(
      "Appends at most 256 MiB atomically; the cost depends on the appended bytes only. Append "
      "more in pieces: split -b 100M --filter='kvfs append ~/store log' FILE\n"
      "Example: date | kvfs append ~/store log");
  return [arguments] { return Append(*arguments); };
}

}  // namespace kvfs::cli
