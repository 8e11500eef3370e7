// Reads lines of JSON, and decides which of them are left out.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "cli/base/json_text.h"
#include "cli/transfer/json_line.h"
#include "cli/transfer/json_lines_format.h"
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
    auto entry = ParseJsonEntry(line, lines_.number(), sink_);
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
      sink_.LeaveOutPart(ShownField(name, lines_.number()),
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

}  // namespace

Result<void> ReadJsonLines(const ByteSource& source, EntrySink& sink) {
  return LinesReader(source, sink).Run();
}

}  // namespace kvfs::cli
