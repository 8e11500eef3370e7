// `kvfs del`: deletes keys, all that it can, and says which it could not.

#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "cli/keys.h"
#include "cli/store_access.h"

namespace kvfs::cli {
namespace {

struct DelArguments {
  std::string store;
  std::vector<std::string> paths;
};

// All failures but the last one go to standard error at once; the first decides the exit code.
Outcome DeleteAll(Keys& keys, const DelArguments& arguments, const std::string& store) {
  Outcome outcome;
  for (const std::string& path : arguments.paths) {
    const auto deleted = keys.Delete(path);
    if (deleted) continue;
    Failure failure = ExplainKeyError("delete", path, store, deleted.error());
    if (!outcome) {
      fmt::print(stderr, "kvfs: {}\n", outcome.error().text);
      failure.code = outcome.error().code;
    }
    outcome = tl::unexpected(std::move(failure));
  }
  return outcome;
}

Outcome Delete(const DelArguments& arguments) {
  for (const std::string& path : arguments.paths) {
    const Outcome valid = CheckKeyPath(path);
    if (!valid) return valid;
  }
  const auto store = ResolveStore(arguments.store, IfMissing::kFail);
  if (!store) return tl::unexpected(store.error());
  const auto keys = OpenKeys(*store, "del");
  if (!keys) return tl::unexpected(keys.error());
  const Outcome outcome = DeleteAll(**keys, arguments, *store);
  const auto finished = (*keys)->Finish();
  if (!outcome || finished) return outcome;
  return Stop(ExitCode::kFlushFailed,
              ExplainKeyError("delete keys", "for good", *store, finished.error()).text);
}

// The parser would take a list of positionals apart where one looks like "[a,b]": so all paths but
// the first are its leftovers, with a "--" where the command line has one.
Outcome TakeFurtherPaths(const std::vector<std::string>& leftovers,
                         std::vector<std::string>& paths) {
  bool only_paths = false;
  for (const std::string& leftover : leftovers) {
    if (!only_paths && leftover == "--") {
      only_paths = true;
    } else if (!only_paths && leftover.size() > 1 && leftover.front() == '-') {
      return Stop(ExitCode::kUsage, fmt::format("unknown option {}; a key that begins with a dash "
                                                "goes after \"--\"",
                                                leftover));
    } else {
      paths.push_back(leftover);
    }
  }
  return {};
}

}  // namespace

Runner DefineDel(CLI::App& parser) {
  const auto arguments = std::make_shared<DelArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->paths.emplace_back(), "The key; any number may follow")
      ->required();
  parser.allow_extras();
  parser.footer("Example: kvfs del ~/store foo a/b/bar");
  return [arguments, &parser]() -> Outcome {
    return TakeFurtherPaths(parser.remaining(), arguments->paths).and_then([&] {
      return Delete(*arguments);
    });
  };
}

}  // namespace kvfs::cli
