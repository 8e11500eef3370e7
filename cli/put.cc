// `kvfs put`: a value from the command line, a file or standard input, durable when it returns.

#include <memory>

#include "cli/byte_streams.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/store_access.h"

namespace kvfs::cli {
namespace {

struct PutArguments {
  std::string store;
  std::string path;
  std::string value;
  bool has_value = false;
  std::string file;
  bool create = false;
};

Answer<ByteSource> OpenSource(const PutArguments& arguments) {
  if (!arguments.file.empty()) return FromFile(arguments.file);
  if (!arguments.has_value || arguments.value == "-") return FromStandardInput();
  return FromText(arguments.value);
}

Answer<std::string> FindStore(const PutArguments& arguments) {
  if (!arguments.create) return ResolveStore(arguments.store, IfMissing::kFail);
  auto store = ResolveStore(arguments.store, IfMissing::kCreate);
  if (!store) return store;
  const Outcome created = CreateIfMissing(*store);
  if (!created) return tl::unexpected(created.error());
  return store;
}

Outcome PutInto(Keys& keys, const PutArguments& arguments, const ByteSource& source,
                const std::string& store) {
  const auto put = keys.Put(arguments.path, source);
  if (!put) return tl::unexpected(ExplainKeyError("put", arguments.path, store, put.error()));
  const auto finished = keys.Finish();
  if (finished) return {};
  return Stop(ExitCode::kFlushFailed,
              ExplainKeyError("put", arguments.path, store, finished.error()).text);
}

Outcome Put(const PutArguments& arguments) {
  const Outcome valid = CheckKeyPath(arguments.path);
  if (!valid) return valid;
  const auto source = OpenSource(arguments);
  if (!source) return tl::unexpected(source.error());
  const auto store = FindStore(arguments);
  if (!store) return tl::unexpected(store.error());
  const auto keys = OpenKeys(*store, "put");
  if (!keys) return tl::unexpected(keys.error());
  return PutInto(**keys, arguments, *source, *store);
}

}  // namespace

Runner DefinePut(CLI::App& parser) {
  const auto arguments = std::make_shared<PutArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The key, as foo or a/b/foo")->required();
  CLI::Option* const value = parser.add_option(
      "VALUE", arguments->value, "The value, to the byte; \"-\" or nothing: from standard input");
  parser.add_option("--file", arguments->file, "Take the value from a file")->excludes(value);
  parser.add_flag("--create", arguments->create, "Create the store if there is none");
  parser.footer(
      "A value that begins with a dash goes after \"--\".\n"
      "Example: kvfs put ~/store foo bar");
  return [arguments, value] {
    arguments->has_value = value->count() > 0;
    return Put(*arguments);
  };
}

}  // namespace kvfs::cli
