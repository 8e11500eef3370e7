// Parses the lines of `kvfs batch`: one change a line. Pure.
//
//   put KEY VALUE            append KEY VALUE         del KEY
//   mv FROM TO               mkdir KEY                rmdir KEY
//   expect KEY VERSION       the key has this version
//   expect KEY absent        there is no such key
//
// Words are separated by blanks. A word that is empty, or contains blanks, quotes, backslashes or
// newlines, is written in double quotes, where \\ \" \n \t \r \0 and \xHH (two hexadecimal digits)
// are as in C, and every other byte but a newline stands for itself: so any value can be written.
// Empty lines, and lines that begin with #, are skipped.
//
// As JSON, a line is an object with "op" and, depending on the operation, "key", "value", "to",
// "version" (a number, or "absent"). "key_base64" and so on take any bytes (cli/base/json_text.h).
#pragma once

#include <optional>
#include <string_view>

#include <kvfs/status.h>
#include "fs/path_operation.h"

namespace kvfs::cli {

// The change; nothing for a skipped line. kInvalid, with the reason.
Result<std::optional<fs::PathOperation>> ParseBatchLine(std::string_view line);
Result<std::optional<fs::PathOperation>> ParseBatchJson(std::string_view line);

}  // namespace kvfs::cli
