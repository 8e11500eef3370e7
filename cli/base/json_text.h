// JSON as the program reads and writes it. A name or value in UTF-8 is stored as it is under its
// key; any other bytes are stored in base64 under the key with the suffix "_base64".
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

using Json = nlohmann::ordered_json;  // keeps the order in which keys are set

bool IsUtf8(std::string_view bytes);

// Parses a JSON value; kInvalid if it is malformed, or an object has two fields with one name,
// which programs interpret differently.
Result<Json> ParseJson(std::string_view text);

std::string ToBase64(std::string_view bytes);
// Nothing for a text that ToBase64 does not produce: with gaps, without padding, with stray bits.
std::optional<std::string> FromBase64(std::string_view text);

void SetBytes(Json& object, const std::string& key, std::string_view bytes);
// Nothing if neither key is present. kInvalid if both are, or the value is malformed.
Result<std::optional<std::string>> GetBytes(const Json& object, const std::string& key);

// One line, without the newline.
std::string ToLine(const Json& value);

}  // namespace kvfs::cli
