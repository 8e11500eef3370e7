// Parses words, or a JSON object, into an operation and its arguments, and then makes the change.

#include "cli/transfer/batch_lines.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "cli/base/json_text.h"
#include "cli/client/keys.h"

namespace kvfs::cli {
namespace {

using fs::PathOperation;

struct Operation {
  std::string_view name;
  PathOperation::Kind kind;
  std::string_view argument;  // beside the key: its name as JSON has it; empty: none
};
constexpr Operation kOperations[] = {
    {"put", PathOperation::Kind::kPut, "value"},
    {"append", PathOperation::Kind::kAppend, "value"},
    {"del", PathOperation::Kind::kDelete, ""},
    {"mv", PathOperation::Kind::kMove, "to"},
    {"mkdir", PathOperation::Kind::kMakeDirectory, ""},
    {"rmdir", PathOperation::Kind::kRemoveDirectory, ""},
    {"expect", PathOperation::Kind::kExpect, "version"},
};

tl::unexpected<Error> Invalid(std::string reason) {
  return Fail(ErrorCode::kInvalid, std::move(reason));
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// Reads words from the front of a line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) { SkipBlanks(); }

  bool AtEnd() const { return rest_.empty(); }

  Result<std::string> Next() {
    auto word = rest_.front() == '"' ? Quoted() : Bare();
    if (word && !rest_.empty() && !IsBlank(rest_.front())) {
      return Invalid("a quoted word ends in the middle of another");
    }
    SkipBlanks();
    return word;
  }

 private:
  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
  }

  Result<std::string> Bare() {
    std::string word;
    while (!rest_.empty() && !IsBlank(rest_.front())) {
      if (rest_.front() == '"' || rest_.front() == '\\') {
        return Invalid("a word with a quote or backslash in it must be quoted");
      }
      word += rest_.front();
      rest_.remove_prefix(1);
    }
    return word;
  }

  Result<std::string> Quoted() {
    std::string word;
    for (rest_.remove_prefix(1); !rest_.empty();) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return word;
      if (c != '\\') {
        word += c;
        continue;
      }
      KVFS_ASSIGN(const char escaped, Escape());
      word += escaped;
    }
    return Invalid("a quote is not closed");
  }

  Result<char> Escape() {
    if (rest_.empty()) return Invalid("a backslash at the end");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case '\\':
      case '"':
        return c;
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case '0':
        return '\0';
      case 'x':
        return Hexadecimal();
      default:
        return Invalid(fmt::format("there is no escape \\{}", c));
    }
  }

  Result<char> Hexadecimal() {
    if (rest_.size() < 2) return Invalid("\\x needs two hexadecimal digits");
    const auto high = HexDigit(rest_[0]);
    const auto low = HexDigit(rest_[1]);
    if (!high || !low) return Invalid("\\x needs two hexadecimal digits");
    rest_.remove_prefix(2);
    return static_cast<char>(*high * 16 + *low);
  }

  std::string_view rest_;
};

Result<const Operation*> FindOperation(std::string_view name) {
  for (const Operation& operation : kOperations) {
    if (operation.name == name) return &operation;
  }
  return Invalid(fmt::format("there is no operation \"{}\"", name));
}

Result<uint64_t> ParseVersion(std::string_view text) {
  if (text == "absent") return PathOperation::kAbsent;
  uint64_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, version);
  if (error == std::errc() && stop == end && version != PathOperation::kAbsent) return version;
  return Invalid("a version is a number of at least 1, or \"absent\"");
}

Result<void> CheckKey(const std::string& key) {
  const CommandResult<> valid = CheckKeyPath(key);
  if (!valid) return Invalid(valid.error().text);
  return {};
}

Result<PathOperation> MakeChange(const Operation& operation, std::string key,
                                 std::string argument) {
  KVFS_TRY(CheckKey(key));
  PathOperation change;
  change.kind = operation.kind;
  change.path = std::move(key);
  if (operation.argument == "value") change.data = std::move(argument);
  if (operation.argument == "to") {
    KVFS_TRY(CheckKey(argument));
    change.to = std::move(argument);
  }
  if (operation.argument == "version") {
    KVFS_ASSIGN(change.version, ParseVersion(argument));
  }
  return change;
}

// A required field.
Result<std::string> Require(const Json& object, const std::string& key) {
  KVFS_ASSIGN(auto bytes, GetBytes(object, key));
  if (bytes) return *std::move(bytes);
  return Invalid(fmt::format("it has no \"{}\"", key));
}

Result<std::string> RequireArgument(const Json& object, const std::string& key) {
  if (key == "version" && object.contains(key) && object[key].is_number_unsigned()) {
    return std::to_string(object[key].get<uint64_t>());
  }
  return Require(object, key);
}

Result<void> CheckFields(const Json& object, const Operation& operation) {
  for (const auto& [name, value] : object.items()) {
    std::string_view plain = name;
    if (plain.ends_with("_base64")) plain.remove_suffix(7);
    if (plain == "op" || plain == "key" || (plain == operation.argument && !plain.empty()))
      continue;
    return Invalid(fmt::format("\"{}\" takes no \"{}\"", operation.name, name));
  }
  return {};
}

}  // namespace

Result<std::optional<PathOperation>> ParseBatchLine(std::string_view line) {
  Words words(line);
  if (words.AtEnd() || line.starts_with('#')) return std::optional<PathOperation>();
  std::vector<std::string> found;
  while (!words.AtEnd()) {
    KVFS_ASSIGN(std::string word, words.Next());
    found.push_back(std::move(word));
  }
  KVFS_ASSIGN(const Operation* const operation, FindOperation(found[0]));
  const size_t wanted = operation->argument.empty() ? 2 : 3;
  if (found.size() != wanted) {
    return Invalid(fmt::format("\"{}\" takes {} words, not {}", operation->name, wanted - 1,
                               found.size() - 1));
  }
  KVFS_ASSIGN(PathOperation change, MakeChange(*operation, std::move(found[1]),
                                               wanted == 3 ? std::move(found[2]) : std::string()));
  return change;
}

Result<std::optional<PathOperation>> ParseBatchJson(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
    return std::optional<PathOperation>();
  }
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Invalid("it is not a JSON object");
  KVFS_ASSIGN(const std::string name, Require(object, "op"));
  KVFS_ASSIGN(const Operation* const operation, FindOperation(name));
  KVFS_TRY(CheckFields(object, *operation));
  KVFS_ASSIGN(std::string key, Require(object, "key"));
  std::string argument;
  if (!operation->argument.empty()) {
    KVFS_ASSIGN(argument, RequireArgument(object, std::string(operation->argument)));
  }
  KVFS_ASSIGN(PathOperation change, MakeChange(*operation, std::move(key), std::move(argument)));
  return change;
}

}  // namespace kvfs::cli
