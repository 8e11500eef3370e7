// Reads an LMDB dump: a state machine over headers, keys and values.

#include <fmt/format.h>

#include "cli/transfer/line_reader.h"
#include "cli/transfer/lmdb_format.h"

namespace kvfs::cli {
namespace {

constexpr size_t kMaxLineBytes = 2 * kMaxBatchBytes + 1;
constexpr std::string_view kHex = "0123456789abcdef";

std::optional<char> HexByte(std::string_view digits) {
  int value = 0;
  for (const char digit : digits) {
    const size_t at = kHex.find(static_cast<char>(digit | 0x20));
    const bool is_letter = digit >= 'A' && digit <= 'F';
    if (at == std::string_view::npos || (at >= 10 && !is_letter && digit < 'a')) return {};
    if (at < 10 && (digit < '0' || digit > '9')) return {};
    value = value * 16 + static_cast<int>(at);
  }
  return static_cast<char>(value);
}

std::optional<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string out;
  for (; !text.empty(); text.remove_prefix(2)) {
    const auto byte = HexByte(text.substr(0, 2));
    if (!byte) return {};
    out += *byte;
  }
  return out;
}

std::optional<std::string> FromPrint(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t taken = 1;
    char byte = text[0];
    if (byte == '\\' && text.starts_with("\\\\")) {
      taken = 2;
    } else if (byte == '\\') {
      const auto hex = text.size() >= 3 ? HexByte(text.substr(1, 2)) : std::nullopt;
      if (!hex) return {};
      byte = *hex;
      taken = 3;
    }
    out += byte;
    text.remove_prefix(taken);
  }
  return out;
}

class LmdbReader {
 public:
  LmdbReader(const ByteSource& source, EntrySink& sink)
      : lines_(source, kMaxLineBytes), sink_(sink) {}

  Result<void> Run() {
    bool is_first = true;
    while (true) {
      KVFS_ASSIGN(const bool is_there, ReadHeader(is_first));
      if (!is_there) return {};
      KVFS_TRY(ReadData());
      is_first = false;
    }
  }

 private:
  tl::unexpected<Error> Invalid(std::string_view reason) const {
    return Fail(ErrorCode::kInvalid, fmt::format("line {}: {}", lines_.number(), reason));
  }

  // False if there is no header; the first one is required.
  Result<bool> ReadHeader(bool is_first) {
    is_print_ = false;
    directory_.clear();
    for (bool has_begun = false;; has_begun = true) {
      KVFS_ASSIGN(const auto line, lines_.Next());
      if (!line && !has_begun && !is_first) return false;
      if (!line) return Invalid("the text ends before HEADER=END: it is not an LMDB dump");
      if (*line == "HEADER=END") return true;
      const size_t equals = line->find('=');
      if (equals == std::string_view::npos)
        return Invalid("it is not a line of an LMDB dump's header");
      const std::string_view name = line->substr(0, equals);
      const std::string_view value = line->substr(equals + 1);
      if (name == "format" && value != "print" && value != "bytevalue") {
        return Invalid("the format is neither print nor bytevalue");
      }
      if (name == "format") is_print_ = value == "print";
      if (name == "database") directory_ = value;
    }
  }

  Result<void> ReadData() {
    while (true) {
      KVFS_ASSIGN(const auto key, ReadWord());
      if (key.is_end) return {};
      KVFS_ASSIGN(auto value, ReadWord());
      if (value.is_end) {
        sink_.LeaveOut(fmt::format("line {}", lines_.number() - 1), "a key has no value");
        return {};
      }
      if (!key.bytes || !value.bytes) {
        sink_.LeaveOut(fmt::format("line {}", lines_.number() - (key.bytes ? 0 : 1)),
                       key.bytes ? value.reason : key.reason);
        continue;
      }
      // An empty key is invalid; it must not name the database's directory.
      if (NormalizeKeyPath(*key.bytes).empty()) {
        sink_.LeaveOut(fmt::format("line {}", lines_.number()), "its key has no name");
        continue;
      }
      const std::string whole =
          directory_.empty() ? *key.bytes : JoinKeyPath(directory_, *key.bytes);
      const auto path = PathOfForeignKey(whole, seen_, sink_);
      if (!path) continue;
      IncomingEntry entry;
      entry.path = *path;
      entry.data = *std::move(value.bytes);
      KVFS_TRY(sink_.Add(std::move(entry)));
    }
  }

  // A key or a value; nothing if it is malformed.
  struct Word {
    bool is_end = false;  // DATA=END
    std::optional<std::string> bytes = {};
    std::string reason = {};
  };
  Result<Word> ReadWord() {
    const auto next = lines_.Next();
    if (!next && next.error().code == ErrorCode::kTooLarge) {
      return Word{.reason = next.error().message};
    }
    KVFS_ASSIGN(const auto line, next);
    if (!line) return Invalid("the text ends before DATA=END: it is truncated");
    if (*line == "DATA=END") return Word{.is_end = true};
    if (!line->starts_with(' ')) return Invalid("a key or value begins with a blank");
    return Word{.bytes = is_print_ ? FromPrint(line->substr(1)) : FromHex(line->substr(1)),
                .reason = "it does not follow the dump's format"};
  }

  LineReader lines_;
  EntrySink& sink_;
  SeenKeys seen_;
  bool is_print_ = false;
  std::string directory_;
};

}  // namespace

Result<void> ReadLmdb(const ByteSource& source, EntrySink& sink) {
  return LmdbReader(source, sink).Run();
}

}  // namespace kvfs::cli
