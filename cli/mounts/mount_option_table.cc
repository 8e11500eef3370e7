// The rows, and what each kind of effect does with an option's value and with a remount.
#include "cli/mounts/mount_option_table.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace kvfs::cli {
namespace {

using fs::MountOptions;
using fs::ShownOwner;

constexpr unsigned kMaxThreads = 256;
constexpr unsigned kMaxSeconds = 365 * 24 * 3600;
// The largest number means "no id" to the kernel.
constexpr unsigned kMaxId = std::numeric_limits<uint32_t>::max() - 1;
constexpr unsigned kMaxUmask = 0777;
constexpr size_t kMaxFileName = 255;
constexpr bool kChangeable = true;

constexpr MountOption kTable[] = {
    {"ro", "", FlagOption{&MountOptions::read_only}, kChangeable},
    {"rw", "", FlagOption{&MountOptions::read_only, false}, kChangeable},
    {"allow_other", "", FlagOption{&MountOptions::allow_other}},
    {"uid", "N", ShownOption{&ShownOwner::uid, kMaxId}},
    {"gid", "N", ShownOption{&ShownOwner::gid, kMaxId}},
    {"umask", "OCTAL", ShownOption{&ShownOwner::umask, kMaxUmask, 8}},
    {"nonempty", "", FlagOption{&MountOptions::nonempty}, kChangeable},
    {"threads", "N", NumberOption{&MountOptions::threads, 1, kMaxThreads}},
    {"xattr", "", FlagOption{&MountOptions::extended_attributes}},
    {"noxattr", "", FlagOption{&MountOptions::extended_attributes, false}},
    {"acl", "", FlagOption{&MountOptions::access_lists}},
    {"writeback", "", FlagOption{&MountOptions::writeback}},
    {"fsname", "NAME", TextOption{&MountOptions::source}},
    {"idle", "SECONDS", NumberOption{&MountOptions::idle_seconds, 1, kMaxSeconds}},
    {"autosync", "SECONDS", NumberOption{&MountOptions::autosync_seconds, 0, kMaxSeconds}},
    {"readdir32", "", FlagOption{&MountOptions::short_offsets}},
    {"control", "NAME", TextOption{&MountOptions::control, true}},
    {"nocontrol", "", NoTextOption{&MountOptions::control}},
    {"debug", "", FlagOption{&MountOptions::debug}},
    {"remount", "", FlagOption{&MountOptions::remount}, kChangeable},
};

tl::unexpected<CommandError> FailFor(std::string_view name, std::string_view value,
                                     std::string_view what_it_must_be) {
  return Fail(ExitCode::kUsage,
              fmt::format("mount option {}={}: it must be {}", name, value, what_it_must_be));
}

std::optional<unsigned> ReadNumber(std::string_view text, int base) {
  unsigned number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

bool IsFileName(std::string_view name) {
  return name != "." && name != ".." && !name.empty() && name.size() <= kMaxFileName &&
         name.find('/') == std::string_view::npos;
}

// Sets the option in `options`; false if it has a value and should not, or the other way round.
struct Setter {
  std::string_view name;
  std::optional<std::string_view> value;
  MountOptions& options;

  CommandResult<bool> operator()(const FlagOption& flag) const {
    if (value) return false;
    options.*flag.field = flag.value;
    return true;
  }
  CommandResult<bool> operator()(const NumberOption& number) const {
    if (!value) return false;
    const auto read = ReadNumber(*value, 10);
    if (!read || *read < number.least || *read > number.most) {
      return FailFor(name, *value,
                     fmt::format("a number from {} to {}", number.least, number.most));
    }
    options.*number.field = *read;
    return true;
  }
  CommandResult<bool> operator()(const ShownOption& shown) const {
    if (!value) return false;
    const auto read = ReadNumber(*value, shown.base);
    if (!read || *read > shown.most) {
      return FailFor(name, *value,
                     shown.base == 8 ? fmt::format("an octal number from 0 to {:o}", shown.most)
                                     : fmt::format("a number from 0 to {}", shown.most));
    }
    options.shown.*shown.field = *read;
    return true;
  }
  CommandResult<bool> operator()(const TextOption& text) const {
    if (!value) return false;
    if (text.is_file_name && !IsFileName(*value)) {
      return FailFor(name, *value, "the name of a file");
    }
    if (value->empty()) return false;
    options.*text.field = *value;
    return true;
  }
  CommandResult<bool> operator()(const NoTextOption& text) const {
    if (value) return false;
    (options.*text.field).clear();
    return true;
  }
};

// Whether `wanted` differs from `now` in the option's field, and has what this option sets.
struct Difference {
  const MountOptions& now;
  const MountOptions& wanted;

  bool operator()(const FlagOption& flag) const {
    return now.*flag.field != wanted.*flag.field && wanted.*flag.field == flag.value;
  }
  bool operator()(const NumberOption& number) const {
    return now.*number.field != wanted.*number.field;
  }
  bool operator()(const ShownOption& shown) const {
    return now.shown.*shown.field != wanted.shown.*shown.field;
  }
  bool operator()(const TextOption& text) const {
    return now.*text.field != wanted.*text.field && !(wanted.*text.field).empty();
  }
  bool operator()(const NoTextOption& text) const {
    return now.*text.field != wanted.*text.field && (wanted.*text.field).empty();
  }
};

}  // namespace

std::span<const MountOption> MountOptionTable() { return kTable; }

CommandResult<bool> ApplyOption(std::string_view name, std::optional<std::string_view> value,
                                MountOptions& options) {
  for (const MountOption& option : kTable) {
    if (option.name == name) return std::visit(Setter{name, value, options}, option.effect);
  }
  return false;
}

std::string_view FixedOptionThatDiffers(const MountOptions& now, const MountOptions& wanted) {
  for (const MountOption& option : kTable) {
    if (!option.is_changeable && std::visit(Difference{now, wanted}, option.effect)) {
      return option.name;
    }
  }
  return {};
}

}  // namespace kvfs::cli
