// Splits the options at commas, and sorts them: ignored, refused, for the kernel, or in the table.

#include "cli/mounts/mount_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "cli/mounts/mount_option_table.h"

namespace kvfs::cli {
namespace {

using namespace std::string_view_literals;

// Flags of the mount, handled by the kernel.
constexpr std::array kKernelFlags = {"dev"sv,     "nodev"sv,  "suid"sv,   "nosuid"sv,
                                     "exec"sv,    "noexec"sv, "sync"sv,   "async"sv,
                                     "dirsync"sv, "atime"sv,  "noatime"sv};

// Always in effect, or for other programs; a remount also passes what the kernel shows of a mount.
constexpr std::array kIgnored = {"auto"sv,          "noauto"sv,     "user"sv,
                                 "nouser"sv,        "users"sv,      "nousers"sv,
                                 "owner"sv,         "noowner"sv,    "group"sv,
                                 "nogroup"sv,       "defaults"sv,   "_netdev"sv,
                                 "nofail"sv,        "relatime"sv,   "norelatime"sv,
                                 "nostrictatime"sv, "diratime"sv,   "nodiratime"sv,
                                 "lazytime"sv,      "nolazytime"sv, "iversion"sv,
                                 "noiversion"sv,    "nomand"sv,     "silent"sv,
                                 "loud"sv,          "symfollow"sv,  "default_permissions"sv,
                                 "subtype=kvfs"sv};
constexpr std::array kIgnoredPrefixes = {"x-"sv,        "X-"sv,      "comment="sv, "user="sv,
                                         "uhelper="sv,  "helper="sv, "user_id="sv, "group_id="sv,
                                         "max_read="sv, "blksize="sv};

// Options of mount(8) that kvfs cannot honour, and why.
struct Refused {
  std::string_view option;
  std::string_view reason;
};
constexpr std::array kRefused = {
    Refused{"strictatime", "reading never changes access times here; leave it out"},
    Refused{"mand", "the kernel has no mandatory locks any more; leave it out"},
    Refused{"nosymfollow",
            "libfuse cannot ask for it; mount without it, and then `mount -o "
            "remount,bind,nosymfollow MOUNTPOINT`"},
    Refused{"allow_root", "libfuse 3 no longer has it; allow_other checks permissions as well"},
    Refused{"auto_unmount",
            "it is not needed: the next mount removes a mount whose daemon has died"},
};

bool IsIgnored(std::string_view option) {
  return std::ranges::find(kIgnored, option) != kIgnored.end() ||
         std::ranges::any_of(kIgnoredPrefixes,
                             [&](std::string_view prefix) { return option.starts_with(prefix); });
}

// Appends the options of one text, unescaped; drops empty ones.
void SplitOptions(std::string_view text, std::vector<std::string>& options) {
  std::string option;
  bool is_quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '\\' && at + 1 < text.size();
    if (text[at] == '"' && (is_quoted || option.ends_with('='))) is_quoted = !is_quoted;
    if (text[at] == ',' && !is_quoted) {
      options.push_back(std::exchange(option, {}));
    } else {
      option += text[escape ? ++at : at];
    }
  }
  options.push_back(std::move(option));
  std::erase(options, "");
}

CommandResult<> Refuse(std::string_view option) {
  for (const Refused& refused : kRefused) {
    if (option != refused.option) continue;
    return Fail(ExitCode::kUsage, fmt::format("mount option {}: {}", option, refused.reason));
  }
  return {};
}

std::string_view WithoutQuotes(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

// SELinux's options, which the kernel reads, with or without quotes.
bool IsContext(std::string_view name) {
  return name == "context" || name == "fscontext" || name == "defcontext" || name == "rootcontext";
}

bool IsForKernel(std::string_view option) {
  return std::ranges::find(kKernelFlags, option) != kKernelFlags.end() ||
         IsContext(option.substr(0, option.find('=')));
}

// False if there is no such option.
CommandResult<bool> Apply(std::string_view option, fs::MountOptions& options) {
  if (IsIgnored(option)) return true;
  KVFS_TRY(Refuse(option));
  if (IsForKernel(option)) {
    options.kernel.emplace_back(option);
    return true;
  }
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return ApplyOption(option, std::nullopt, options);
  return ApplyOption(option.substr(0, equals), WithoutQuotes(option.substr(equals + 1)), options);
}

CommandResult<> CheckTogether(const fs::MountOptions& options) {
  if (!options.access_lists || !options.shown.IsAny()) return {};
  return Fail(ExitCode::kUsage,
              "mount option acl: it cannot be combined with uid, gid or umask, which show "
              "permissions other than the lists'");
}

}  // namespace

CommandResult<fs::MountOptions> ParseMountOptions(const std::vector<std::string>& texts,
                                                  UnknownOptions unknown) {
  std::vector<std::string> split;
  for (const std::string& text : texts) SplitOptions(text, split);
  fs::MountOptions options;
  for (const std::string& option : split) {
    KVFS_ASSIGN(const bool is_known, Apply(option, options));
    if (!is_known && unknown == UnknownOptions::kRefuse) {
      return Fail(ExitCode::kUsage,
                  fmt::format("unknown mount option {}; `kvfs mount --help` lists them", option));
    }
  }
  return CheckTogether(options).map([&] { return options; });
}

}  // namespace kvfs::cli
