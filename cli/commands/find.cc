// `kvfs find`: finds keys by name or path.

#include <fmt/format.h>
#include <fnmatch.h>

#include <memory>

#include "cli/base/shown_text.h"
#include "cli/client/byte_streams.h"
#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/held_output.h"
#include "cli/transfer/key_format.h"

namespace kvfs::cli {
namespace {

struct FindArguments {
  std::string store;
  std::string glob;
  std::string prefix;
  std::string kind;
  bool null = false;
  bool json = false;
};

// A pattern without slashes matches the name, one with slashes the whole path.
bool MatchesGlob(const WalkedKey& key, const std::string& glob) {
  if (glob.empty()) return true;
  const bool whole = glob.find('/') != std::string::npos;
  const std::string text = whole ? key.path : std::string(key.name);
  return ::fnmatch(glob.c_str(), text.c_str(), FNM_PATHNAME) == 0;
}

bool Matches(const WalkedKey& key, const FindArguments& arguments) {
  return key.path.starts_with(arguments.prefix) && MatchesGlob(key, arguments.glob) &&
         (arguments.kind.empty() || KindName(key.inode.attributes) == arguments.kind);
}

// Whether a path below the directory can begin with the prefix.
bool MayHold(const WalkedKey& key, const std::string& prefix) {
  const std::string inside = key.path + "/";
  const size_t shared = std::min(inside.size(), prefix.size());
  return inside.compare(0, shared, prefix, 0, shared) == 0;
}

CommandResult<> Find(const FindArguments& arguments) {
  HeldOutput output(StandardOutput());
  const KeysWork work = [&](Keys& keys, const std::string& store) -> CommandResult<> {
    CommandResult<> outcome;
    WalkOptions options;
    options.on_unreadable = [&](const std::string& path, const Error& error) {
      outcome = TellUnreadable(path, error);
    };
    const auto visit = [&](const WalkedKey& key) -> Result<Descent> {
      if (Matches(key, arguments)) {
        if (arguments.json) {
          output.Print(ToLine(ToJson("path", key.path, key.inode)) + "\n");
        } else {
          output.Print(ShownName(stdout, key.path) + (arguments.null ? '\0' : '\n'));
        }
      }
      return MayHold(key, arguments.prefix) ? Descent::kEnter : Descent::kPass;
    };
    const auto found = keys.Freeze().and_then([&] { return WalkKeys(keys, "", visit, options); });
    if (found) return outcome;
    return tl::unexpected(ExplainKeyError("search", "the keys", store, found.error()));
  };
  return WithOutput(output, WithKeys(arguments.store, "find", KeysUse::kRead, work));
}

}  // namespace

Runner DefineFind(CLI::App& parser) {
  const auto arguments = std::make_shared<FindArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("GLOB", arguments->glob,
                    "A pattern with * ? and [a-z]: for names; with a slash in it, for whole paths, "
                    "where * stops at slashes");
  parser.add_option("--prefix", arguments->prefix, "Only paths that begin with TEXT")
      ->type_name("TEXT");
  parser.add_option("--kind", arguments->kind, "Only entries of this kind")
      ->check(CLI::IsMember({"file", "directory", "link"}));
  CLI::Option* const null =
      parser.add_flag("-0,--null", arguments->null, "End each path with NUL instead of newline");
  parser.add_flag("--json", arguments->json, "One JSON object a line")->excludes(null);
  parser.footer("Example: kvfs find ~/store '*.json' --prefix jobs/");
  return [arguments] { return Find(*arguments); };
}

}  // namespace kvfs::cli
