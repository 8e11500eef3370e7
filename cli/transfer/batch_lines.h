// The lines that `kvfs batch` reads: one change a line, read by pure functions.
//
//   put KEY VALUE            append KEY VALUE         del KEY
//   mv FROM TO               mkdir KEY                rmdir KEY
//   expect KEY VERSION       the key has this version
//   expect KEY absent        there is no such key
//
// Words are separated by blanks. A word that has blanks, quotes, backslashes or newlines in it, or
// is empty, stands in double quotes, where \\ \" \n \t \r \0 and \xHH (two hexadecimal digits) are
// as in C, and every other byte but a newline stands for itself: so any value can be written.
// Empty lines, and those that begin with #, are passed over.
//
// As JSON a line is an object with "op" and, as the operation needs them, "key", "value", "to",
// "version" (a number, or "absent"). "key_base64" and so on take any bytes (cli/base/json_text.h).
#pragma once

#include <optional>
#include <string_view>

#include <kvfs/status.h>
#include "fs/path_operation.h"

namespace kvfs::cli {

// The change; nothing for a line that is passed over. kInvalid, with the reason.
Result<std::optional<fs::PathOperation>> ParseBatchLine(std::string_view line);
Result<std::optional<fs::PathOperation>> ParseBatchJson(std::string_view line);

}  // namespace kvfs::cli
