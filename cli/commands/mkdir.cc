// `kvfs mkdir`: creates a directory in a store.

#include <memory>

#include "cli/client/key_walk.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"

namespace kvfs::cli {
namespace {

struct MkdirArguments {
  std::string store;
  std::string path;
  bool parents = false;
};

Result<void> MakeOne(Keys& keys, const std::string& path, fs::PathOperation::Kind kind) {
  fs::PathOperation make;
  make.kind = kind;
  make.path = path;
  return keys.Apply({std::move(make)});
}

Result<void> MakeAll(Keys& keys, const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    KVFS_TRY(MakeOne(keys, path.substr(0, end), fs::PathOperation::Kind::kEnsureDirectory));
  }
  return MakeOne(keys, path, fs::PathOperation::Kind::kEnsureDirectory);
}

CommandResult<> Make(const MkdirArguments& arguments) {
  KVFS_TRY(CheckKeyPath(arguments.path));
  const std::string path = NormalizeKeyPath(arguments.path);
  return WithKeys(
      arguments.store, "mkdir", KeysUse::kChange,
      [&](Keys& keys, const std::string& store) -> CommandResult<> {
        const auto made = arguments.parents
                              ? MakeAll(keys, path)
                              : MakeOne(keys, path, fs::PathOperation::Kind::kMakeDirectory);
        if (made) return {};
        return tl::unexpected(ExplainMakingError("make the directory", path, store, made.error()));
      });
}

}  // namespace

Runner DefineMkdir(CLI::App& parser) {
  const auto arguments = std::make_shared<MkdirArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->path, "The directory to make")->required();
  parser.add_flag("-p,--parents", arguments->parents,
                  "Make missing parents too; an existing directory is not an error");
  parser.footer(
      "The mode is 0777 minus the umask, or as the default access control list of the\n"
      "directory above determines.\n"
      "Example: kvfs mkdir -p ~/store jobs/new");
  return [arguments] { return Make(*arguments); };
}

}  // namespace kvfs::cli
