// Parses mount(8)'s arguments: here -f means fake and -s sloppy, unlike on the command line.

#include "cli/commands/mount_helper.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/base/user_message.h"
#include "cli/mounts/mount_options.h"

namespace kvfs::cli {
namespace {

constexpr int kMountUsage = 1;
constexpr int kMountSystemError = 2;
constexpr int kMountFailure = 32;

bool TakesValue(const std::string& option) {
  return option == "-o" || option == "-N" || option == "-t";
}

bool IsFlag(const std::string& option) {
  return option == "-f" || option == "-n" || option == "-s" || option == "-v" || option == "-r" ||
         option == "-w";
}

void ApplyFlag(const std::string& option, HelperArguments& helper) {
  if (option == "-f") helper.fake = true;
  if (option == "-s") helper.mount.sloppy = true;
  if (option == "-r") helper.mount.options.emplace_back("ro");
  if (option == "-w") helper.mount.options.emplace_back("rw");
}

// Whether root may trust the store's device nodes and setuid files: the owner of its directory can
// write anything there. A store that does not exist yet will belong to root.
bool BelongsToRoot(const std::string& store) {
  struct stat status {};
  return ::stat(store.c_str(), &status) != 0 || status.st_uid == 0;
}

// mount(8) does not pass on the options that are its defaults, dev and suid; FUSE's own mount
// program defaults to nodev and nosuid, and accepts dev and suid from root only. An explicit dev or
// suid is not passed on either; `kvfs mount` accepts them.
void ApplyDefaults(HelperArguments& helper) {
  if (::geteuid() != 0 || !BelongsToRoot(helper.mount.store)) return;
  helper.mount.options.insert(helper.mount.options.begin(), "dev,suid");
}

// Words separated by commas; their meaning does not matter here.
std::string WithoutDevicesAndSetuid(const std::string& text) {
  std::string kept;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (word != "dev" && word != "suid") kept += (kept.empty() ? "" : ",") + word;
    begin = end + 1;
  }
  return kept.empty() ? "defaults" : kept;
}

CommandResult<> CheckOptions(const HelperArguments& helper) {
  const auto unknown = helper.mount.sloppy ? UnknownOptions::kPassOver : UnknownOptions::kRefuse;
  return ParseMountOptions(helper.mount.options, unknown).map([](const fs::MountOptions&) {});
}

}  // namespace

CommandResult<HelperArguments> ParseHelperArguments(const std::vector<std::string>& arguments) {
  HelperArguments helper;
  std::vector<std::string> places;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (TakesValue(argument) && i + 1 < arguments.size()) {
      ++i;
      if (argument == "-o") helper.mount.options.push_back(arguments[i]);
    } else if (IsFlag(argument)) {
      ApplyFlag(argument, helper);
    } else if (argument.starts_with('-')) {
      return Fail(ExitCode::kUsage,
                  fmt::format("{}: unknown option {}", kMountHelperName, argument));
    } else {
      places.push_back(argument);
    }
  }
  if (places.size() != 2) {
    return Fail(ExitCode::kUsage, fmt::format("usage: {} STORE MOUNTPOINT [-fnsv] [-o OPTION,...]",
                                              kMountHelperName));
  }
  helper.mount.store = places[0];
  helper.mount.mount_point = places[1];
  return helper;
}

std::vector<std::string> AsMountFuseMeansIt(std::vector<std::string> arguments) {
  if (::geteuid() != 0 || arguments.empty() || BelongsToRoot(arguments.front())) return arguments;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i - 1] == "-o") arguments[i] = WithoutDevicesAndSetuid(arguments[i]);
  }
  return arguments;
}

int MountExitCode(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return 0;
    case ExitCode::kUsage:
      return kMountUsage;
    case ExitCode::kIoFailed:
      return kMountSystemError;
    default:
      return kMountFailure;
  }
}

int RunMountHelper(const std::vector<std::string>& arguments) {
  const CommandResult<> outcome =
      ParseHelperArguments(arguments).and_then([](HelperArguments helper) {
        ApplyDefaults(helper);
        return helper.fake ? CheckOptions(helper) : Mount(helper.mount);
      });
  if (outcome) return 0;
  const std::string line = MessageLine(Severity::kError, outcome.error().text, kMountHelperName);
  fmt::print(stderr, "{}", line);
  return MountExitCode(outcome.error().code);
}

}  // namespace kvfs::cli
