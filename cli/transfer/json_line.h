// The fields of one line of cli/transfer/json_lines_format.h, as an entry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/base/json_text.h"
#include "cli/transfer/transfer.h"

namespace kvfs::cli {

// `number` is the line's. Fields that the entry cannot have are reported to the sink and left out;
// kInvalid, with the reason, if the whole line is invalid.
Result<IncomingEntry> ParseJsonEntry(const Json& line, uint64_t number, EntrySink& sink);

// "the field "x" of line 7", as messages name it.
std::string ShownField(std::string_view name, uint64_t line);

}  // namespace kvfs::cli
