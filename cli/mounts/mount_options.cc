// Splits the options at commas, and applies each of them.

#include "cli/mounts/mount_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace kvfs::cli {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kMaxIdleSeconds = 365 * 24 * 3600;
// The largest number means "no id" to the kernel.
constexpr unsigned kMaxId = std::numeric_limits<uint32_t>::max() - 1;
constexpr unsigned kMaxUmask = 0777;

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

CommandResult<> ReadNumber(std::string_view name, std::string_view value, unsigned least,
                           unsigned most, unsigned& number) {
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return {};
  return Fail(ExitCode::kUsage, fmt::format("mount option {}={}: it must be a number from {} to {}",
                                            name, value, least, most));
}

CommandResult<> ReadShown(std::string_view name, std::string_view value, int base, unsigned most,
                          std::optional<uint32_t>& shown) {
  uint32_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number, base);
  if (error == std::errc() && stop == end && number <= most) {
    shown = number;
    return {};
  }
  return Fail(ExitCode::kUsage,
              base == 8 ? fmt::format("mount option {}={}: it must be an octal number from 0 to "
                                      "{:o}",
                                      name, value, most)
                        : fmt::format("mount option {}={}: it must be a number from 0 to {}", name,
                                      value, most));
}

CommandResult<> ReadControl(std::string_view value, MountChoices& choices) {
  if (value == "." || value == ".." || value.empty() || value.size() > 255 ||
      value.find('/') != std::string_view::npos) {
    return Fail(ExitCode::kUsage,
                fmt::format("mount option control={}: it must be the name of a file", value));
  }
  choices.control = value;
  return {};
}

// Handles `name=value`; false if there is no such option.
CommandResult<bool> ApplyValue(std::string_view name, std::string_view value,
                               MountChoices& choices) {
  fs::ShownOwner& shown = choices.shown;
  const auto found = [] { return true; };
  if (name == "threads") {
    return ReadNumber(name, value, 1, kMaxThreads, choices.threads).map(found);
  }
  if (name == "idle") {
    return ReadNumber(name, value, 1, kMaxIdleSeconds, choices.idle_seconds).map(found);
  }
  if (name == "autosync") {
    return ReadNumber(name, value, 0, kMaxIdleSeconds, choices.autosync_seconds).map(found);
  }
  if (name == "uid") return ReadShown(name, value, 10, kMaxId, shown.uid).map(found);
  if (name == "gid") return ReadShown(name, value, 10, kMaxId, shown.gid).map(found);
  if (name == "umask") return ReadShown(name, value, 8, kMaxUmask, shown.umask).map(found);
  if (name == "control") return ReadControl(value, choices).map(found);
  if (name == "fsname" && !value.empty()) {
    choices.source = value;
    return true;
  }
  return false;
}

// Handles an option without a value; false if there is no such option.
bool ApplyFlag(std::string_view option, MountChoices& choices) {
  if (option == "ro" || option == "rw") {
    choices.read_only = option == "ro";
  } else if (option == "remount") {
    choices.remount = true;
  } else if (option == "allow_other") {
    choices.allow_other = true;
  } else if (option == "nonempty") {
    choices.nonempty = true;
  } else if (option == "nocontrol") {
    choices.control.clear();
  } else if (option == "debug") {
    choices.debug = true;
  } else if (option == "xattr" || option == "noxattr") {
    choices.extended_attributes = option == "xattr";
  } else if (option == "acl") {
    choices.access_lists = true;
  } else if (option == "writeback") {
    choices.writeback = true;
  } else if (option == "readdir32") {
    choices.readdir32 = true;
  } else if (std::ranges::find(kKernelFlags, option) != kKernelFlags.end()) {
    choices.kernel.emplace_back(option);
  } else {
    return false;
  }
  return true;
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

// False if there is no such option.
CommandResult<bool> Apply(std::string_view option, MountChoices& choices) {
  if (IsIgnored(option) || ApplyFlag(option, choices)) return true;
  const CommandResult<> refused = Refuse(option);
  if (!refused) return tl::unexpected(refused.error());
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = option.substr(0, equals);
  if (IsContext(name)) {
    choices.kernel.emplace_back(option);
    return true;
  }
  return ApplyValue(name, WithoutQuotes(option.substr(equals + 1)), choices);
}

CommandResult<> CheckTogether(const MountChoices& choices) {
  if (!choices.access_lists || !choices.shown.IsAny()) return {};
  return Fail(ExitCode::kUsage,
              "mount option acl: it cannot be combined with uid, gid or umask, which show "
              "permissions other than the lists'");
}

}  // namespace

CommandResult<MountChoices> ParseMountOptions(const std::vector<std::string>& texts,
                                              UnknownOptions unknown) {
  std::vector<std::string> options;
  for (const std::string& text : texts) SplitOptions(text, options);
  MountChoices choices;
  for (const std::string& option : options) {
    const CommandResult<bool> known = Apply(option, choices);
    if (!known) return tl::unexpected(known.error());
    if (!*known && unknown == UnknownOptions::kRefuse) {
      return Fail(ExitCode::kUsage,
                  fmt::format("unknown mount option {}; `kvfs mount --help` lists them", option));
    }
  }
  return CheckTogether(choices).map([&] { return choices; });
}

}  // namespace kvfs::cli
