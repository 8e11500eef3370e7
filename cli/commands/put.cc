// `kvfs put`: stores a value from the command line, a file or standard input; durable on return.

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "cli/base/whole_number.h"
#include "cli/client/store_access.h"
#include "cli/client/store_place.h"
#include "cli/client/value_argument.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/gathered_input.h"

namespace kvfs::cli {
namespace {

struct PutArguments {
  std::string store;
  std::string path;
  ValueArgument value;
  bool create = false;
  bool if_absent = false;
  uint64_t if_version = 0;  // 0: any, or no key
};

CommandResult<> EnsureStore(const PutArguments& arguments) {
  if (!arguments.create) return {};
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kCreate));
  return CreateIfMissing(store);
}

// Checks the version and puts the value atomically.
Result<void> PutIn(Keys& keys, const PutArguments& arguments, const ByteSource& source) {
  std::vector<fs::PathOperation> changes;
  if (arguments.if_absent || arguments.if_version != 0) {
    fs::PathOperation& expect = changes.emplace_back();
    expect.kind = fs::PathOperation::Kind::kExpect;
    expect.path = arguments.path;
    expect.version = arguments.if_absent ? fs::PathOperation::kAbsent : arguments.if_version;
  }
  changes.emplace_back().path = arguments.path;
  return keys.ApplyWithContent(changes, ContentFrom(source));
}

// With a daemon, a slow source does not keep others from the store.
CommandResult<ByteSource> Gather(const ByteSource& source, const PutArguments& arguments) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, IfMissing::kFail));
  if (IsServedByDaemon(store)) return source;
  auto gathered = GatherInput(source, store);
  if (gathered) return *std::move(gathered);
  return tl::unexpected(ExplainKeyError("put", arguments.path, store, gathered.error()));
}

CommandResult<> Put(const PutArguments& arguments) {
  KVFS_TRY(CheckKeyPath(arguments.path));
  KVFS_ASSIGN(auto source, OpenValue(arguments.value));
  KVFS_TRY(EnsureStore(arguments));
  if (MayWait(arguments.value)) {
    KVFS_ASSIGN(const auto gathered, Gather(source, arguments));
    source = gathered;
  }
  return WithKeys(
      arguments.store, "put", KeysUse::kChange,
      [&](Keys& keys, const std::string& store) -> CommandResult<> {
        const auto put = PutIn(keys, arguments, source);
        if (put) return {};
        return tl::unexpected(ExplainMakingError("put", arguments.path, store, put.error()));
      });
}

}  // namespace

Runner DefinePut(CLI::App& parser) {
  const auto arguments = std::make_shared<PutArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The key, as foo or a/b/foo")->required();
  DefineValue(parser, arguments->value);
  parser.add_flag("--create", arguments->create, "Create the store if there is none");
  CLI::Option* const if_absent = parser.add_flag("--if-absent", arguments->if_absent,
                                                 "Only if the key is absent (else status 14)");
  parser
      .add_option("--if-version", arguments->if_version,
                  "Only if the key has this version, as `kvfs stat` shows it (else status 14)")
      ->type_name("N")
      ->check(WholeNumber(1))
      ->excludes(if_absent);
  parser.footer(
      "Readers see the old value or the new one, never a part, except briefly in a mount when\n"
      "others write to the key meanwhile. The key keeps its inode number. A new key has mode\n"
      "0666 minus the umask, or as its directory's default access control list determines.\n"
      "Example: kvfs put ~/store foo bar");
  return [arguments] { return Put(*arguments); };
}

}  // namespace kvfs::cli
