// UTF-8 as RFC 3629 has it, base64 by libcrypto.

#include "cli/json_text.h"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace kvfs::cli {
namespace {

// Bytes of the character at the front; 0 if it is malformed.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first < 0xc2   ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be; surrogates; above U+10FFFF.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

const unsigned char* Unsigned(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
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
    if (!plain->is_string()) return Fail(ErrorCode::kInvalid, fmt::format("{} is no text", key));
    return plain->get<std::string>();
  }
  if (coded == object.end()) return std::optional<std::string>();
  auto bytes = coded->is_string() ? FromBase64(coded->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return Fail(ErrorCode::kInvalid, fmt::format("{}_base64 is not base64", key));
  return bytes;
}

std::string ToLine(const Json& value) { return value.dump(); }

}  // namespace kvfs::cli
