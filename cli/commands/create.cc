// `kvfs create`: creates an empty store; its parameters cannot be changed later.

#include <fmt/format.h>

#include <memory>

#include <kvfs/store.h>
#include "cli/base/user_message.h"
#include "cli/base/whole_number.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"
#include "cli/commands/file_system_kind.h"

namespace kvfs::cli {
namespace {

struct CreateArguments {
  std::string store;
  CreateOptions options;
};

CommandResult<> Create(const CreateArguments& arguments) {
  KVFS_ASSIGN(const auto path, ResolveStore(arguments.store, IfMissing::kCreate));
  const auto created = Store::Create(GetPosixEnv(), path, arguments.options);
  if (created) {
    const std::string_view caveat = CaveatAt(path);
    if (!caveat.empty()) {
      Tell(Severity::kWarning, fmt::format("{} lies on a file system that is {}", path, caveat));
    }
    return {};
  }
  if (created.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(ExplainStoreError(path, created.error()));
  }
  return Fail(ExitCode::kNoStore,
              fmt::format("cannot create a store at {}: {}", path, created.error().message));
}

}  // namespace

Runner DefineCreate(CLI::App& parser) {
  const auto arguments = std::make_shared<CreateArguments>();
  CreateOptions& options = arguments->options;
  parser.add_option("STORE", arguments->store, "Directory of the new store: absent, or empty")
      ->required();
  parser
      .add_option("--shards", options.shards, fmt::format("Number of shards, 1 to {}", kMostShards))
      ->check(WholeNumber(1, kMostShards))
      ->capture_default_str();
  parser
      .add_option("--page-size", options.page_bytes,
                  fmt::format("Bytes of a tree page: a power of two, {} to {}", kLeastPageBytes,
                              kMostPageBytes))
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  parser
      .add_option(
          "--log-limit", options.log_limit_bytes,
          fmt::format("Size of the redo log, as 64M: bounds the time that recovery takes; "
                      "{}M to {}G",
                      kLeastSegments * options.log_segment_bytes >> 20, kMostLogLimitBytes >> 30))
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  parser.footer("Example: kvfs create --shards 16 ~/store");
  return [arguments] { return Create(*arguments); };
}

}  // namespace kvfs::cli
