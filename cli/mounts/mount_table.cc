// Parses mountinfo: fields are separated by single spaces; none is assumed to exist.

#include "cli/mounts/mount_table.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/base/paths.h"

namespace kvfs::cli {
namespace {

// Places of fields in a line, and after its lone "-".
constexpr size_t kDeviceField = 2;
constexpr size_t kRootField = 3;
constexpr size_t kMountPointField = 4;
constexpr size_t kOptionsField = 5;
constexpr size_t kFirstOptionalField = 6;
constexpr size_t kTypeAfterDash = 1;
constexpr size_t kSourceAfterDash = 2;
constexpr size_t kOptionsAfterDash = 3;

// Splits at the separator; empty fields count.
std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

// The kernel writes it first.
bool SayReadOnly(std::string_view options) { return options == "ro" || options.starts_with("ro,"); }

bool IsOctal(char digit, char largest) { return digit >= '0' && digit <= largest; }

bool StartsWithEscape(std::string_view text) {
  return text.size() >= 4 && text[0] == '\\' && IsOctal(text[1], '3') && IsOctal(text[2], '7') &&
         IsOctal(text[3], '7');
}

char EscapedByte(std::string_view escape) {
  const int value = (escape[1] - '0') * 64 + (escape[2] - '0') * 8 + (escape[3] - '0');
  return static_cast<char>(static_cast<unsigned char>(value));
}

// "0:51"; 0 for a file system on a device.
uint32_t NumberOf(std::string_view device) {
  uint32_t number = 0;
  if (!device.starts_with("0:")) return 0;
  device.remove_prefix(2);
  std::from_chars(device.data(), device.data() + device.size(), number);
  return number;
}

std::optional<MountEntry> ParseLine(std::string_view line) {
  const std::vector<std::string_view> fields = Split(line, ' ');
  if (fields.size() <= kFirstOptionalField) return std::nullopt;
  const auto dash = std::find(fields.begin() + kFirstOptionalField, fields.end(), "-");
  const auto after_dash = static_cast<size_t>(fields.end() - dash);
  if (after_dash <= kSourceAfterDash) return std::nullopt;
  return MountEntry{UnescapeMountField(fields[kMountPointField]),
                    UnescapeMountField(dash[kTypeAfterDash]),
                    UnescapeMountField(dash[kSourceAfterDash]),
                    SayReadOnly(fields[kOptionsField]) ||
                        (after_dash > kOptionsAfterDash && SayReadOnly(dash[kOptionsAfterDash])),
                    NumberOf(fields[kDeviceField]),
                    UnescapeMountField(fields[kRootField])};
}

}  // namespace

std::string UnescapeMountField(std::string_view field) {
  std::string plain;
  while (!field.empty()) {
    const bool escaped = StartsWithEscape(field);
    plain += escaped ? EscapedByte(field) : field.front();
    field.remove_prefix(escaped ? 4 : 1);
  }
  return plain;
}

std::vector<MountEntry> ParseMountTable(std::string_view text) {
  std::vector<MountEntry> table;
  for (const std::string_view line : Split(text, '\n')) {
    if (auto entry = ParseLine(line)) table.push_back(*std::move(entry));
  }
  return table;
}

CommandResult<std::vector<MountEntry>> ReadMountTable() {
  std::ifstream file("/proc/self/mountinfo", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.good()) {
    return Fail(ExitCode::kIoFailed,
                "cannot read the mount table, /proc/self/mountinfo; is /proc mounted?");
  }
  return ParseMountTable(text.str());
}

std::vector<MountEntry> KvfsMounts(const std::vector<MountEntry>& table) {
  std::vector<MountEntry> mounts;
  std::ranges::copy_if(table, std::back_inserter(mounts),
                       [](const MountEntry& mount) { return mount.type == kMountType; });
  return mounts;
}

std::vector<std::string> MountPoints(const std::vector<MountEntry>& mounts) {
  std::vector<std::string> places;
  for (const MountEntry& mount : mounts) places.push_back(mount.mount_point);
  return places;
}

bool IsServed(const std::vector<MountEntry>& table, std::string_view path) {
  return std::ranges::any_of(table, [&](const MountEntry& mount) {
    return mount.type == kMountType && IsWithin(path, mount.mount_point);
  });
}

std::optional<MountEntry> FindMount(const std::vector<MountEntry>& table,
                                    std::string_view mount_point) {
  // The newest first. (clang 14 cannot read libstdc++'s views.)
  const auto found = std::find_if(table.rbegin(), table.rend(), [&](const MountEntry& mount) {
    return mount.mount_point == mount_point;
  });
  if (found == table.rend()) return std::nullopt;
  return *found;
}

bool IsReadOnlyMount(std::string_view mount_point) {
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, mount_point) : std::nullopt;
  return mount && mount->is_read_only;
}

}  // namespace kvfs::cli
