// `kvfs stat`: shows the metadata of keys.

#include <fmt/format.h>

#include <memory>

#include "cli/base/shown_text.h"
#include "cli/client/with_keys.h"
#include "cli/commands/command.h"
#include "cli/transfer/key_format.h"

namespace kvfs::cli {
namespace {

struct StatArguments {
  std::string store;
  std::vector<std::string> paths;
  bool json = false;
};

void PrintText(const std::string& path, const fs::InodeInfo& inode) {
  const fs::Attributes& a = inode.attributes;
  fmt::print("  path: {}\n  kind: {}\n", ShownName(stdout, path), KindName(a));
  fmt::print("  size: {} bytes, {} on disk\n", inode.size_bytes, inode.allocated_bytes);
  fmt::print("  mode: {} ({:04o}), {} links\n", ModeText(a), a.mode & 07777, a.links);
  fmt::print(" owner: {}, group {}\n", a.uid, a.gid);
  fmt::print(" inode: {}\nversion: {}\n", inode.number, inode.version);
  fmt::print("modify: {}\nchange: {}\naccess: {}\n", TimeText(a.mtime), TimeText(a.ctime),
             TimeText(a.atime));
}

CommandResult<> Stat(const StatArguments& arguments) {
  for (const std::string& path : arguments.paths) {
    KVFS_TRY(CheckDirectoryPath(path));
  }
  std::vector<fs::InodeInfo> inodes;
  const KeysWork work = [&](Keys& keys, const std::string& store) -> CommandResult<> {
    for (const std::string& path : arguments.paths) {
      const auto inode = keys.Stat(path);
      if (!inode) return tl::unexpected(ExplainKeyError("stat", path, store, inode.error()));
      inodes.push_back(*inode);
    }
    return {};
  };
  KVFS_TRY(WithKeys(arguments.store, "stat", KeysUse::kRead, work));
  for (size_t i = 0; i < inodes.size(); ++i) {
    if (arguments.json) {
      fmt::print("{}\n", ToLine(ToJson("path", arguments.paths[i], inodes[i])));
    } else {
      PrintText(arguments.paths[i], inodes[i]);
    }
  }
  return {};
}

}  // namespace

Runner DefineStat(CLI::App& parser) {
  const auto arguments = std::make_shared<StatArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("PATH", arguments->paths.emplace_back(), "The key; any number may follow")
      ->required();
  parser.add_flag("--json", arguments->json, "One JSON object a line");
  parser.allow_extras();
  parser.footer(
      "A key's version grows with each change: `kvfs put --if-version` takes it.\n"
      "Example: kvfs stat ~/store foo");
  return [arguments, &parser]() -> CommandResult<> {
    return TakeFurtherPaths(parser.remaining(), arguments->paths).and_then([&] {
      return Stat(*arguments);
    });
  };
}

}  // namespace kvfs::cli
