// A state for each of header, key and value.

#include "cli/lmdb_format.h"

#include <fmt/format.h>

#include "cli/line_reader.h"

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

  // False if there is none, which the first must not be.
  Result<bool> ReadHeader(bool is_first) {
    is_print_ = false;
    directory_.clear();
    for (bool has_begun = false;; has_begun = true) {
      KVFS_ASSIGN(const auto line, lines_.Next());
      if (!line && !has_begun && !is_first) return false;
      if (!line) return Invalid("the text ends before HEADER=END: it is no LMDB dump");
      if (*line == "HEADER=END") return true;
      const size_t equals = line->find('=');
      if (equals == std::string_view::npos)
        return Invalid("it is no line of an LMDB dump's header");
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
      if (!key) return {};
      KVFS_ASSIGN(auto value, ReadWord());
      if (!value) return Invalid("a key has no value");
      IncomingEntry entry;
      entry.path = JoinKeyPath(directory_, NormalizeKeyPath(*key));
      entry.data = *std::move(value);
      if (entry.path.empty()) return Invalid("a key is empty");
      KVFS_TRY(sink_.Add(std::move(entry)));
    }
  }

  // Nothing at DATA=END.
  Result<std::optional<std::string>> ReadWord() {
    KVFS_ASSIGN(const auto line, lines_.Next());
    if (!line) return Invalid("the text ends before DATA=END: it has been cut off");
    if (*line == "DATA=END") return std::optional<std::string>();
    if (!line->starts_with(' ')) return Invalid("a key or value begins with a blank");
    auto word = is_print_ ? FromPrint(line->substr(1)) : FromHex(line->substr(1));
    if (!word) return Invalid("it is not written as the dump's format says");
    return word;
  }

  LineReader lines_;
  EntrySink& sink_;
  bool is_print_ = false;
  std::string directory_;
};

class LmdbWriter final : public EntryWriter {
 public:
  explicit LmdbWriter(const ByteSink& out) : out_(out) {
    buffer_ = "VERSION=3\nformat=bytevalue\ntype=btree\nHEADER=END\n";
  }

  Result<void> Add(Keys& keys, const WalkedKey& key, const std::string& path) override {
    if (key.inode.attributes.IsDirectory()) return {};
    if (!key.inode.attributes.IsRegular()) {
      Skip(path, "an LMDB dump holds nothing but keys and values");
      return {};
    }
    KVFS_ASSIGN(const std::string value, GetWhole(keys, key.path, kMaxBatchBytes));
    AppendLine(path);
    AppendLine(value);
    return buffer_.size() < kLargeContentBytes ? Result<void>() : Write();
  }

  Result<void> Finish() override {
    buffer_ += "DATA=END\n";
    return Write();
  }

 private:
  void AppendLine(std::string_view bytes) {
    buffer_ += ' ';
    for (const char byte : bytes) {
      buffer_ += kHex[static_cast<unsigned char>(byte) >> 4];
      buffer_ += kHex[static_cast<unsigned char>(byte) & 15];
    }
    buffer_ += '\n';
  }
  Result<void> Write() {
    const std::string full = std::exchange(buffer_, {});
    return out_(AsBytes(full));
  }

  const ByteSink out_;
  std::string buffer_;
};

}  // namespace

Result<void> ReadLmdb(const ByteSource& source, EntrySink& sink) {
  return LmdbReader(source, sink).Run();
}

std::unique_ptr<EntryWriter> MakeLmdbWriter(const ByteSink& out) {
  return std::make_unique<LmdbWriter>(out);
}

}  // namespace kvfs::cli
