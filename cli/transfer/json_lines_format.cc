// Reads and writes the fields of a line.

#include "cli/transfer/json_lines_format.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iterator>

#include "cli/base/json_text.h"
#include "cli/base/own_umask.h"
#include "cli/transfer/key_format.h"
#include "cli/transfer/line_reader.h"

namespace kvfs::cli {
namespace {

// A value in base64, and its surroundings.
constexpr size_t kMaxLineBytes = 2 * kMaxBatchBytes;
// After this many lines at the beginning that are not JSON, the source is not JSON.
constexpr uint64_t kMaxForeignLines = 100;

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

std::string FieldOf(std::string_view name, uint64_t line) {
  return fmt::format("the field \"{}\" of line {}", name, line);
}

// Reports fields that do not apply to the entry's type, by mistake or from a later version.
void LeaveOutUnknown(const Json& line, std::string_view content, size_t number, EntrySink& sink) {
  for (const auto& [name, value] : line.items()) {
    std::string_view plain = name;
    if (plain.ends_with("_base64")) plain.remove_suffix(7);
    const bool is_text = plain == "path" || (plain == content && !content.empty());
    const bool is_known = name == "kind" || name == "xattrs" || IsAttribute(name);
    if (is_text || is_known) continue;
    sink.LeaveOutPart(FieldOf(name, number), "entries of its kind have none");
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
      sink.LeaveOutPart(FieldOf(key, number), "extended attributes do not have this field");
    }
  }
  return xattrs;
}

Json JsonOf(const fs::XattrMap& xattrs) {
  Json list = Json::array();
  for (const auto& [name, value] : xattrs) {
    Json item;
    SetBytes(item, "name", name);
    SetBytes(item, "value", value);
    list.push_back(std::move(item));
  }
  return list;
}

Result<IncomingEntry> ParseEntry(const Json& line, size_t number, EntrySink& sink) {
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

class LinesReader {
 public:
  LinesReader(const ByteSource& source, EntrySink& sink)
      : lines_(source, kMaxLineBytes), sink_(sink) {}

  Result<void> Run() {
    while (true) {
      const auto line = lines_.Next();
      if (!line && line.error().code != ErrorCode::kTooLarge) return tl::unexpected(line.error());
      if (!line) {
        KVFS_TRY(LeaveOut(line.error()));
        continue;
      }
      if (!*line) return AtEnd();
      if ((*line)->find_first_not_of(" \t\r") == std::string_view::npos) continue;
      KVFS_TRY(AddLine(**line));
    }
  }

 private:
  Result<void> AtEnd() {
    if (has_any_ || !has_foreign_) return {};
    return Invalid("none of its lines is a JSON object");
  }

  Result<void> AddLine(std::string_view line) {
    auto object = ParseJson(line);
    if (object && !object->is_object()) object = Invalid("it is not a JSON object");
    if (object) {
      has_any_ = true;
      return Add(*object);
    }
    has_foreign_ = true;
    if (!has_any_ && lines_.number() >= kMaxForeignLines) {
      return Invalid(fmt::format("none of its first {} lines is a JSON object", kMaxForeignLines));
    }
    return LeaveOut(object.error());
  }

  // An invalid line is left out; errors are the sink's.
  Result<void> Add(const Json& line) {
    const auto first = GetBytes(line, "same_as");
    if (!first) return LeaveOut(first.error());
    if (*first) return AddLink(line, **first);
    auto entry = ParseEntry(line, lines_.number(), sink_);
    if (!entry) return LeaveOut(entry.error());
    TellOfRepetition(entry->path);
    return sink_.Add(*std::move(entry));
  }

  Result<void> AddLink(const Json& line, const std::string& first) {
    const auto path = GetBytes(line, "path");
    if (!path) return LeaveOut(path.error());
    if (!*path) return LeaveOut({ErrorCode::kInvalid, "it has no \"path\""});
    for (const auto& [name, value] : line.items()) {
      if (name.starts_with("same_as") || name.starts_with("path")) continue;
      sink_.LeaveOutPart(FieldOf(name, lines_.number()),
                         "another name of an entry has no fields of its own");
    }
    TellOfRepetition(NormalizeKeyPath(**path));
    return sink_.AddLink(NormalizeKeyPath(**path), NormalizeKeyPath(first));
  }

  void TellOfRepetition(const std::string& path) {
    if (path.empty() || seen_.Add(path)) return;
    sink_.LeaveOut(fmt::format("an earlier entry of {}", path),
                   fmt::format("line {} has the same path", lines_.number()));
  }

  Result<void> LeaveOut(const Error& error) {
    sink_.LeaveOut(fmt::format("line {}", lines_.number()), error.message);
    return {};
  }

  LineReader lines_;
  EntrySink& sink_;
  SeenKeys seen_;
  bool has_any_ = false;      // a line that is a JSON object
  bool has_foreign_ = false;  // one that is not
};

class JsonLinesWriter final : public EntryWriter {
 public:
  explicit JsonLinesWriter(const ByteSink& out) : out_(out) {}

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    const fs::Attributes& a = key.inode.attributes;
    Json line;
    SetBytes(line, "path", path);
    if (const auto first = FirstNameOf(key.inode, path)) {
      SetBytes(line, "same_as", *first);
      return Write(line);
    }
    line["kind"] = KindName(a);
    if (a.IsRegular()) {
      KVFS_ASSIGN(const std::string value, GetWhole(keys, key.path, kMaxBatchBytes));
      SetBytes(line, "value", value);
    } else if (a.IsSymbolicLink()) {
      KVFS_ASSIGN(const std::string target, keys.ReadLink(key.path));
      SetBytes(line, "target", target);
    }
    line["mode"] = fmt::format("{:04o}", a.mode & 07777);
    line["uid"] = a.uid;
    line["gid"] = a.gid;
    line["mtime"] = TimeText(a.mtime);
    if (a.ctime != a.mtime) line["ctime"] = TimeText(a.ctime);
    if (a.atime != a.mtime) line["atime"] = TimeText(a.atime);
    if (a.device != 0) line["device"] = a.device;
    KVFS_ASSIGN(const fs::XattrMap xattrs, XattrsOf(keys, key, path));
    if (!xattrs.empty()) line["xattrs"] = JsonOf(xattrs);
    return Write(line);
  }

  Result<void> Finish() override {
    const std::string full = std::exchange(buffer_, {});
    auto written = out_(AsBytes(full));
    if (!written) NoteFailure();
    return written;
  }

 private:
  Result<void> Write(const Json& line) {
    buffer_ += ToLine(line) + '\n';
    return buffer_.size() < kLargeContentBytes ? Result<void>() : Finish();
  }

  const ByteSink out_;
  std::string buffer_;
};

}  // namespace

Result<void> ReadJsonLines(const ByteSource& source, EntrySink& sink) {
  return LinesReader(source, sink).Run();
}

std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out) {
  return std::make_unique<JsonLinesWriter>(out);
}

}  // namespace kvfs::cli
