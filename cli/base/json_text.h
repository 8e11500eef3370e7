// JSON as the program writes and reads it. A name or value that is UTF-8 stands as it is under its
// key, one that is not in base64 under the key with "_base64" behind it: so any bytes go through.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <kvfs/status.h>

namespace kvfs::cli {

using Json = nlohmann::ordered_json;  // keeps the order in which keys are set

bool IsUtf8(std::string_view bytes);

// A JSON value; kInvalid for a text that is none, or that has two fields of one name in an object,
// of which programs take either.
Result<Json> ParseJson(std::string_view text);

std::string ToBase64(std::string_view bytes);
// Nothing for a text that ToBase64 does not give: with gaps, without its padding, with stray bits.
std::optional<std::string> FromBase64(std::string_view text);

void SetBytes(Json& object, const std::string& key, std::string_view bytes);
// Nothing if neither key is there. kInvalid if both are, or what is there is not as it should be.
Result<std::optional<std::string>> GetBytes(const Json& object, const std::string& key);

// One line, without its end.
std::string ToLine(const Json& value);

}  // namespace kvfs::cli
