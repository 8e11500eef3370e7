// Fields of a line, in both directions.

#include "cli/json_lines_format.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <ctime>

#include "cli/json_text.h"
#include "cli/key_format.h"
#include "cli/line_reader.h"

namespace kvfs::cli {
namespace {

// A value in base64, and what is around it.
constexpr size_t kMaxLineBytes = 2 * kMaxBatchBytes;

tl::unexpected<Error> Invalid(std::string reason) {
  return Fail(ErrorCode::kInvalid, std::move(reason));
}

Result<uint64_t> NumberIn(const Json& line, const char* name) {
  const auto field = line.find(name);
  if (field == line.end()) return 0;
  if (!field->is_number_unsigned()) return Invalid(fmt::format("\"{}\" is no number", name));
  return field->get<uint64_t>();
}

Result<fs::Timespec> TimeIn(const Json& line, const char* name, const fs::Timespec& otherwise) {
  const auto field = line.find(name);
  if (field == line.end()) return otherwise;
  std::optional<fs::Timespec> time;
  if (field->is_string()) time = ParseTime(field->get<std::string>());
  if (time) return *time;
  return Invalid(fmt::format("\"{}\" is no time as 2026-01-31T12:00:00.000000000Z", name));
}

Result<uint32_t> PermissionsIn(const Json& line) {
  const Json& field = line["mode"];
  const std::string text = field.is_string() ? field.get<std::string>() : "";
  uint32_t mode = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error == std::errc() && stop == end && mode <= 07777) return mode;
  return Invalid("\"mode\" is no octal number as \"0644\"");
}

Result<fs::Attributes> AttributesIn(const Json& line, uint32_t type) {
  fs::Attributes a;
  KVFS_ASSIGN(const uint32_t permissions, PermissionsIn(line));
  a.mode = type | permissions;
  KVFS_ASSIGN(const uint64_t uid, NumberIn(line, "uid"));
  KVFS_ASSIGN(const uint64_t gid, NumberIn(line, "gid"));
  if (uid > UINT32_MAX || gid > UINT32_MAX) return Invalid("\"uid\" or \"gid\" is too large");
  a.uid = static_cast<uint32_t>(uid);
  a.gid = static_cast<uint32_t>(gid);
  KVFS_ASSIGN(a.device, NumberIn(line, "device"));
  KVFS_ASSIGN(a.mtime, TimeIn(line, "mtime", {}));
  KVFS_ASSIGN(a.ctime, TimeIn(line, "ctime", a.mtime));
  KVFS_ASSIGN(a.atime, TimeIn(line, "atime", a.mtime));
  return a;
}

Result<uint32_t> TypeIn(const Json& line) {
  const auto field = line.find("kind");
  if (field == line.end()) return S_IFREG;
  const auto type = field->is_string() ? TypeOfKind(field->get<std::string>()) : std::nullopt;
  if (type) return *type;
  return Invalid("\"kind\" is none that there is");
}

uint32_t UsualPermissions(uint32_t type) {
  return S_ISDIR(type) ? 0755 : S_ISLNK(type) ? 0777 : 0644;
}

Result<std::optional<fs::XattrMap>> XattrsIn(const Json& line) {
  const auto field = line.find("xattrs");
  if (field == line.end()) return std::nullopt;
  if (!field->is_array()) return Invalid("\"xattrs\" is no list");
  fs::XattrMap xattrs;
  for (const Json& item : *field) {
    if (!item.is_object()) return Invalid("\"xattrs\" has something else than objects");
    KVFS_ASSIGN(const auto name, GetBytes(item, "name"));
    KVFS_ASSIGN(const auto value, GetBytes(item, "value"));
    if (!name || !value) return Invalid("one of \"xattrs\" has no \"name\" or no \"value\"");
    if (const auto valid = fs::CheckXattrName(*name); !valid) {
      return Invalid(fmt::format("{} is no name of an extended attribute", *name));
    }
    xattrs.insert_or_assign(*name, *value);
  }
  return xattrs;
}

Json XattrsOf(const fs::XattrMap& xattrs) {
  Json list = Json::array();
  for (const auto& [name, value] : xattrs) {
    Json item;
    SetBytes(item, "name", name);
    SetBytes(item, "value", value);
    list.push_back(std::move(item));
  }
  return list;
}

Result<IncomingEntry> ParseEntry(Json line) {
  IncomingEntry entry;
  KVFS_ASSIGN(const auto path, GetBytes(line, "path"));
  if (!path) return Invalid("it has no \"path\"");
  entry.path = NormalizeKeyPath(*path);
  KVFS_ASSIGN(const uint32_t type, TypeIn(line));
  const bool is_plain = type == S_IFREG && !line.contains("mode");
  if (!line.contains("mode")) line["mode"] = fmt::format("{:o}", UsualPermissions(type));
  if (!is_plain) {
    KVFS_ASSIGN(entry.attributes, AttributesIn(line, type));
  }
  KVFS_ASSIGN(entry.xattrs, XattrsIn(line));
  if (S_ISREG(type) || S_ISLNK(type)) {
    const char* const name = S_ISREG(type) ? "value" : "target";
    KVFS_ASSIGN(auto data, GetBytes(line, name));
    if (!data) return Invalid(fmt::format("it has no \"{}\"", name));
    entry.data = *std::move(data);
  }
  if (entry.path.empty() && !S_ISDIR(type)) return Invalid("its \"path\" is empty");
  return entry;
}

Result<void> AddLine(std::string_view text, EntrySink& sink) {
  Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) return Invalid("it is no JSON object");
  KVFS_ASSIGN(const auto first, GetBytes(line, "same_as"));
  if (!first) {
    KVFS_ASSIGN(IncomingEntry entry, ParseEntry(std::move(line)));
    return sink.Add(std::move(entry));
  }
  KVFS_ASSIGN(const auto path, GetBytes(line, "path"));
  if (!path) return Invalid("it has no \"path\"");
  return sink.AddLink(NormalizeKeyPath(*path), NormalizeKeyPath(*first));
}

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
    if (a.has_xattrs) {
      KVFS_ASSIGN(const fs::XattrMap xattrs, keys.GetXattrs(key.path));
      line["xattrs"] = XattrsOf(xattrs);
    }
    return Write(line);
  }

  Result<void> Finish() override {
    const std::string full = std::exchange(buffer_, {});
    return out_(AsBytes(full));
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
  LineReader lines(source, kMaxLineBytes);
  while (true) {
    KVFS_ASSIGN(const auto line, lines.Next());
    if (!line) return {};
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto added = AddLine(*line, sink);
    if (!added && added.error().code == ErrorCode::kInvalid) {
      return Invalid(fmt::format("line {}: {}", lines.number(), added.error().message));
    }
    KVFS_TRY(added);
  }
}

std::unique_ptr<EntryWriter> MakeJsonLinesWriter(const ByteSink& out) {
  return std::make_unique<JsonLinesWriter>(out);
}

}  // namespace kvfs::cli
