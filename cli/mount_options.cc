// Splitting the options at commas, and what each of them does.

#include "cli/mount_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace kvfs::cli {
namespace {

using namespace std::string_view_literals;

constexpr unsigned kMaxIdleSeconds = 365 * 24 * 3600;

// Flags of the mount itself, which the kernel keeps and checks.
constexpr std::array kKernelFlags = {"dev"sv,     "nodev"sv,   "suid"sv,      "nosuid"sv,
                                     "exec"sv,    "noexec"sv,  "sync"sv,      "async"sv,
                                     "dirsync"sv, "noatime"sv, "nodiratime"sv};

// What is true anyway, or is for others to read.
constexpr std::array kIgnored = {
    "auto"sv,        "noauto"sv,   "user"sv,  "nouser"sv,   "users"sv,
    "nousers"sv,     "owner"sv,    "group"sv, "defaults"sv, "_netdev"sv,
    "nofail"sv,      "relatime"sv, "atime"sv, "diratime"sv, "default_permissions"sv,
    "subtype=kvfs"sv};
constexpr std::array kIgnoredPrefixes = {"x-"sv,    "X-"sv,       "comment="sv,
                                         "user="sv, "uhelper="sv, "helper="sv};

bool IsIgnored(std::string_view option) {
  return std::ranges::find(kIgnored, option) != kIgnored.end() ||
         std::ranges::any_of(kIgnoredPrefixes,
                             [&](std::string_view prefix) { return option.starts_with(prefix); });
}

// Appends the options of one text, escapes undone; empty ones are dropped.
void SplitOptions(std::string_view text, std::vector<std::string>& options) {
  std::string option;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool escape = text[at] == '\\' && at + 1 < text.size();
    if (text[at] == ',') {
      options.push_back(std::exchange(option, {}));
    } else {
      option += text[escape ? ++at : at];
    }
  }
  options.push_back(std::move(option));
  std::erase(options, "");
}

Outcome ReadNumber(std::string_view name, std::string_view value, unsigned most, unsigned& number) {
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end && number >= 1 && number <= most) return {};
  return Stop(ExitCode::kUsage, fmt::format("mount option {}={}: it must be a number from 1 to {}",
                                            name, value, most));
}

Outcome ReadControl(std::string_view value, MountChoices& choices) {
  if (value == "." || value == ".." || value.empty() || value.size() > 255 ||
      value.find('/') != std::string_view::npos) {
    return Stop(ExitCode::kUsage,
                fmt::format("mount option control={}: it must be the name of a file", value));
  }
  choices.control = value;
  return {};
}

// Handles `name=value`; false if there is no such option.
Answer<bool> ApplyValue(std::string_view name, std::string_view value, MountChoices& choices) {
  if (name == "threads") {
    return ReadNumber(name, value, kMaxThreads, choices.threads).map([] { return true; });
  }
  if (name == "idle") {
    return ReadNumber(name, value, kMaxIdleSeconds, choices.idle_seconds).map([] { return true; });
  }
  if (name == "control") return ReadControl(value, choices).map([] { return true; });
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
  } else if (std::ranges::find(kKernelFlags, option) != kKernelFlags.end()) {
    choices.kernel.emplace_back(option);
  } else {
    return false;
  }
  return true;
}

Answer<bool> Apply(std::string_view option, MountChoices& choices) {
  if (IsIgnored(option) || ApplyFlag(option, choices)) return true;
  const size_t equals = option.find('=');
  if (equals == std::string_view::npos) return false;
  return ApplyValue(option.substr(0, equals), option.substr(equals + 1), choices);
}

}  // namespace

Answer<MountChoices> ParseMountOptions(const std::vector<std::string>& texts) {
  std::vector<std::string> options;
  for (const std::string& text : texts) SplitOptions(text, options);
  MountChoices choices;
  for (const std::string& option : options) {
    if (option == "remount") {
      return Stop(ExitCode::kUsage,
                  "mount option remount: a mounted store cannot change its options; unmount it "
                  "and mount it again");
    }
    const Answer<bool> known = Apply(option, choices);
    if (!known) return tl::unexpected(known.error());
    if (!*known) {
      return Stop(ExitCode::kUsage,
                  fmt::format("unknown mount option {}; `kvfs mount --help` lists them", option));
    }
  }
  return choices;
}

}  // namespace kvfs::cli
