// Base64 by libcrypto.

#include "cli/base/json_text.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <set>
#include <vector>

#include "cli/base/shown_text.h"

namespace kvfs::cli {
namespace {

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = FirstCharacter(bytes).bytes;
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

Result<Json> ParseJson(std::string_view text) {
  std::vector<std::set<std::string>> names;  // of each object that is open
  std::optional<std::string> repeated;
  const auto look = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names.back().insert(name).second) repeated = name;
    }
    return true;
  };
  Json value = Json::parse(text, look, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Fail(ErrorCode::kInvalid, "it is not JSON");
  if (repeated) {
    return Fail(ErrorCode::kInvalid, fmt::format("it has two fields \"{}\"", *repeated));
  }
  return value;
}

std::string ToBase64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), Unsigned(bytes),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of(" \t\r\n") != std::string_view::npos) return {};
  if (text.empty()) return std::string();
  std::string out(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), Unsigned(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(static_cast<size_t>(length) - padding);
  // The library accepts '=' anywhere, and drops bits after the last byte.
  if (ToBase64(out) != text) return {};
  return out;
}

void SetBytes(Json& object, const std::string& key, std::string_view bytes) {
  if (IsUtf8(bytes)) {
    object[key] = bytes;
  } else {
    object[key + "_base64"] = ToBase64(bytes);
  }
}

Result<std::optional<std::string>> GetBytes(const Json& object, const std::string& key) {
  const auto plain = object.find(key);
  const auto coded = object.find(key + "_base64");
  if (plain != object.end() && coded != object.end()) {
    return Fail(ErrorCode::kInvalid, fmt::format("it has both {0} and {0}_base64", key));
  }
  if (plain != object.end()) {
    if (!plain->is_string())
      return Fail(ErrorCode::kInvalid, fmt::format("{} is not a string", key));
    return plain->get<std::string>();
  }
  if (coded == object.end()) return std::optional<std::string>();
  auto bytes = coded->is_string() ? FromBase64(coded->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return Fail(ErrorCode::kInvalid, fmt::format("{}_base64 is not base64", key));
  return bytes;
}

// The library escapes what JSON requires; other characters that a terminal might obey, or show
// differently, occur only in strings, where any character may be written as its number.
std::string ToLine(const Json& value) {
  std::string out;
  const std::string dumped = value.dump();
  for (std::string_view rest = dumped; !rest.empty();) {
    const Character it = FirstCharacter(rest);
    const std::string_view piece = rest.substr(0, std::max<size_t>(it.bytes, 1));
    if (!IsUnsafe(it.code)) {
      out += piece;
    } else if (it.code < 0x10000) {
      out += fmt::format("\\u{:04x}", it.code);
    } else {
      const uint32_t rank = it.code - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rank >> 10), 0xdc00 + (rank & 0x3ff));
    }
    rest.remove_prefix(piece.size());
  }
  return out;
}

}  // namespace kvfs::cli
