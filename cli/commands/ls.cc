// `kvfs ls`: lists a directory of the store, one name per line, in byte order.

#include <fmt/format.h>
#include <sys/stat.h>

#include <memory>

#include "cli/base/shown_text.h"
#include "cli/base/terminal_colour.h"
#include "cli/base/user_message.h"
#include "cli/client/byte_streams.h"
#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/held_output.h"
#include "cli/transfer/key_format.h"

namespace kvfs::cli {
namespace {

struct LsArguments {
  std::string store;
  std::string path;
  std::string prefix;
  bool long_lines = false;
  bool recursive = false;
  bool null = false;
  bool json = false;
};

// Names for one directory, paths for a recursive listing.
std::string ListedName(const WalkedKey& key, const LsArguments& arguments) {
  return arguments.recursive ? key.path : std::string(key.name);
}

// The default of ls(1).
Colour ColourOf(const fs::Attributes& attributes) {
  if (attributes.IsDirectory()) return Colour::kDirectory;
  if (attributes.IsSymbolicLink()) return Colour::kLink;
  if (!S_ISREG(attributes.mode)) return Colour::kDevice;
  return attributes.mode & S_IXUSR ? Colour::kProgram : Colour::kNone;
}

// The target of a symbolic link; one that cannot be read is reported, and the listing goes on.
Result<std::string> TargetOf(Keys& keys, const WalkedKey& key, CommandResult<>& outcome) {
  auto target = keys.ReadLink(key.path);
  if (target) return " -> " + ShownName(stdout, *target);
  const ErrorCode code = target.error().code;
  if (code == ErrorCode::kNotFound) return std::string();  // deleted meanwhile
  if (code == ErrorCode::kIo || code == ErrorCode::kReadOnly) return target;
  Tell(Severity::kWarning, fmt::format("{}: {}", key.path, ReasonOfKeyError(target.error())));
  if (outcome) {
    outcome = Fail(code == ErrorCode::kCorrupt ? ExitCode::kStoreCorrupt : ExitCode::kWrongKind,
                   "not all of it could be listed: see above");
  }
  return " -> ?";
}

Result<void> Print(Keys& keys, const WalkedKey& key, const LsArguments& arguments,
                   HeldOutput& output, CommandResult<>& outcome) {
  const std::string plain = ShownName(stdout, ListedName(key, arguments));
  std::string name = arguments.null ? plain : Paint(stdout, ColourOf(key.inode.attributes), plain);
  const char end = arguments.null ? '\0' : '\n';
  if (arguments.json) {
    output.Print(ToLine(ToJson("path", key.path, key.inode)) + "\n");
  } else if (!arguments.long_lines) {
    output.Print(name + end);
  } else {
    if (key.inode.attributes.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, TargetOf(keys, key, outcome));
      name += target;
    }
    output.Print(fmt::format("{} {}{}", LongLine(key.inode), name, end));
  }
  return {};
}

CommandResult<> List(const LsArguments& arguments) {
  KVFS_TRY(CheckDirectoryPath(arguments.path));
  HeldOutput output(StandardOutput());
  const KeysWork work = [&](Keys& keys, const std::string& store) -> CommandResult<> {
    CommandResult<> outcome;
    WalkOptions options;
    options.on_unreadable = [&](const std::string& path, const Error& error) {
      outcome = TellUnreadable(path, error);
    };
    const auto frozen = arguments.recursive ? keys.Freeze() : Result<void>();
    if (!frozen) {
      return tl::unexpected(ExplainKeyError("list", arguments.path, store, frozen.error()));
    }
    const auto listed = WalkKeys(
        keys, arguments.path,
        [&](const WalkedKey& key) -> Result<Descent> {
          if (ListedName(key, arguments).starts_with(arguments.prefix)) {
            KVFS_TRY(Print(keys, key, arguments, output, outcome));
          }
          return arguments.recursive ? Descent::kEnter : Descent::kPass;
        },
        options);
    if (listed) return outcome;
    return tl::unexpected(ExplainKeyError("list", arguments.path, store, listed.error()));
  };
  return WithOutput(output, WithKeys(arguments.store, "ls", KeysUse::kRead, work));
}

}  // namespace

Runner DefineLs(CLI::App& parser) {
  const auto arguments = std::make_shared<LsArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The directory in it (default: the top)");
  parser.add_flag("-l,--long", arguments->long_lines,
                  "Show mode, links, owner, group, size in bytes and time");
  parser.add_flag("-R,--recursive", arguments->recursive, "List everything below, with paths");
  parser.add_option("--prefix", arguments->prefix, "Only names that begin with TEXT")
      ->type_name("TEXT");
  CLI::Option* const null =
      parser.add_flag("-0,--null", arguments->null,
                      "End each name with NUL instead of newline, which names may contain");
  parser.add_flag("--json", arguments->json, "One JSON object a line")->excludes(null);
  parser.footer("Example: kvfs ls -l ~/store");
  return [arguments] { return List(*arguments); };
}

}  // namespace kvfs::cli
