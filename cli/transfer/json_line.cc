// Missing fields have defaults, invalid ones fail.

#include "cli/transfer/json_line.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iterator>
#include <optional>

#include "cli/base/own_umask.h"
#include "cli/transfer/key_format.h"

namespace kvfs::cli {
namespace {

tl::unexpected<Error> Invalid(std::string reason) {
  return Fail(ErrorCode::kInvalid, std::move(reason));
}

Result<uint64_t> NumberIn(const Json& line, const char* name, uint64_t otherwise) {
  const auto field = line.find(name);
  if (field == line.end()) return otherwise;
  if (!field->is_number_unsigned()) return Invalid(fmt::format("\"{}\" is not a number", name));
  return field->get<uint64_t>();
}

Result<fs::Timespec> TimeIn(const Json& line, const char* name, const fs::Timespec& otherwise) {
  const auto field = line.find(name);
  if (field == line.end()) return otherwise;
  std::optional<fs::Timespec> time;
  if (field->is_string()) time = ParseTime(field->get<std::string>());
  if (time) return *time;
  return Invalid(fmt::format("\"{}\" is not a time like 2026-01-31T12:00:00.000000000Z", name));
}

uint32_t UsualPermissions(uint32_t type) {
  if (S_ISLNK(type)) return 0777;
  return (S_ISDIR(type) ? 0777 : 0666) & ~OwnUmask();
}

Result<uint32_t> PermissionsIn(const Json& line, uint32_t type) {
  if (!line.contains("mode")) return UsualPermissions(type);
  const Json& field = line["mode"];
  const std::string text = field.is_string() ? field.get<std::string>() : "";
  uint32_t mode = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error == std::errc() && stop == end && mode <= 07777) return mode;
  return Invalid("\"mode\" is not an octal number like \"0644\"");
}

fs::Timespec Now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return {now.tv_sec, static_cast<uint32_t>(now.tv_nsec)};
}

// Missing attributes are as for a new file of the command's user.
Result<fs::Attributes> AttributesIn(const Json& line, uint32_t type) {
  fs::Attributes a;
  KVFS_ASSIGN(const uint32_t permissions, PermissionsIn(line, type));
  a.mode = type | permissions;
  KVFS_ASSIGN(const uint64_t uid, NumberIn(line, "uid", ::geteuid()));
  KVFS_ASSIGN(const uint64_t gid, NumberIn(line, "gid", ::getegid()));
  if (uid > UINT32_MAX || gid > UINT32_MAX) return Invalid("\"uid\" or \"gid\" is too large");
  a.uid = static_cast<uint32_t>(uid);
  a.gid = static_cast<uint32_t>(gid);
  KVFS_ASSIGN(a.device, NumberIn(line, "device", 0));
  KVFS_ASSIGN(a.mtime, TimeIn(line, "mtime", Now()));
  KVFS_ASSIGN(a.ctime, TimeIn(line, "ctime", a.mtime));
  KVFS_ASSIGN(a.atime, TimeIn(line, "atime", a.mtime));
  return a;
}

bool IsAttribute(std::string_view name) {
  constexpr std::string_view kNames[] = {"mode", "uid", "gid", "mtime", "ctime", "atime", "device"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

bool TellsAttributes(const Json& line) {
  for (const auto& [name, value] : line.items()) {
    if (IsAttribute(name)) return true;
  }
  return false;
}

// Reports fields that do not apply to the entry's type, by mistake or from a later version.
void LeaveOutUnknown(const Json& line, std::string_view content, uint64_t number, EntrySink& sink) {
  for (const auto& [name, value] : line.items()) {
    std::string_view plain = name;
    if (plain.ends_with("_base64")) plain.remove_suffix(7);
    const bool is_text = plain == "path" || (plain == content && !content.empty());
    const bool is_known = name == "kind" || name == "xattrs" || IsAttribute(name);
    if (is_text || is_known) continue;
    sink.LeaveOutPart(ShownField(name, number), "entries of its kind have none");
  }
}

Result<uint32_t> TypeIn(const Json& line) {
  const auto field = line.find("kind");
  if (field == line.end()) return S_IFREG;
  const auto type = field->is_string() ? TypeOfKind(field->get<std::string>()) : std::nullopt;
  if (type) return *type;
  return Invalid("\"kind\" is unknown");
}

Result<std::optional<fs::XattrMap>> XattrsIn(const Json& line, uint64_t number, EntrySink& sink) {
  const auto field = line.find("xattrs");
  if (field == line.end()) return std::nullopt;
  if (!field->is_array()) return Invalid("\"xattrs\" is not a list");
  fs::XattrMap xattrs;
  for (const Json& item : *field) {
    if (!item.is_object()) return Invalid("\"xattrs\" has an item that is not an object");
    KVFS_ASSIGN(const auto name, GetBytes(item, "name"));
    KVFS_ASSIGN(const auto value, GetBytes(item, "value"));
    if (!name || !value) return Invalid("one of \"xattrs\" has no \"name\" or no \"value\"");
    if (!xattrs.emplace(*name, *value).second) {
      return Invalid(fmt::format("two of \"xattrs\" have the name {}", *name));
    }
    for (const auto& [key, ignored] : item.items()) {
      const std::string_view plain = std::string_view(key).substr(0, key.find("_base64"));
      if (plain == "name" || plain == "value") continue;
      sink.LeaveOutPart(ShownField(key, number), "extended attributes do not have this field");
    }
  }
  return xattrs;
}

}  // namespace

Result<IncomingEntry> ParseJsonEntry(const Json& line, uint64_t number, EntrySink& sink) {
  IncomingEntry entry;
  KVFS_ASSIGN(const auto path, GetBytes(line, "path"));
  if (!path) return Invalid("it has no \"path\"");
  entry.path = NormalizeKeyPath(*path);
  KVFS_ASSIGN(const uint32_t type, TypeIn(line));
  if (type != S_IFREG || TellsAttributes(line)) {
    KVFS_ASSIGN(entry.attributes, AttributesIn(line, type));
  }
  KVFS_ASSIGN(entry.xattrs, XattrsIn(line, number, sink));
  const char* const content = S_ISREG(type) ? "value" : S_ISLNK(type) ? "target" : "";
  if (S_ISREG(type) || S_ISLNK(type)) {
    KVFS_ASSIGN(auto data, GetBytes(line, content));
    if (!data) return Invalid(fmt::format("it has no \"{}\"", content));
    entry.data = *std::move(data);
  }
  if (entry.path.empty() && !S_ISDIR(type)) return Invalid("its \"path\" is empty");
  LeaveOutUnknown(line, content, number, sink);
  return entry;
}

std::string ShownField(std::string_view name, uint64_t line) {
  return fmt::format("the field \"{}\" of line {}", name, line);
}

}  // namespace kvfs::cli
