// "-" or no argument means standard input; "" is an empty value.

#include "cli/client/value_argument.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/client/byte_streams.h"
#include "cli/mounts/mount_health.h"

namespace kvfs::cli {

void DefineValue(CLI::App& parser, ValueArgument& value) {
  value.option = parser.add_option("VALUE", value.text,
                                   "The value, to the byte; \"-\" or nothing: from standard input");
  parser.add_option("--file", value.file, "Take the value from a file")
      ->type_name("FILE")
      ->excludes(value.option);
}

CommandResult<ByteSource> OpenValue(const ValueArgument& value) {
  if (!value.file.empty()) {
    const auto answered = AwaitAnswer(value.file);
    if (answered) return FromFile(value.file);
    return Fail(ExitCode::kIoFailed, "cannot read " + value.file + ": " + answered.error().message);
  }
  if (value.option->count() == 0 || value.text == "-") return FromStandardInput();
  return FromText(value.text);
}

bool MayWait(const ValueArgument& value) {
  struct stat status {};
  if (!value.file.empty()) {
    return ::stat(value.file.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  }
  const bool is_text = value.option->count() != 0 && value.text != "-";
  return !is_text && !(::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode));
}

Result<std::string> ReadWhole(const ByteSource& source) {
  constexpr size_t kPieceBytes = size_t{1} << 18;
  std::string whole;
  while (true) {
    const size_t before = whole.size();
    whole.resize(before + kPieceBytes);
    KVFS_ASSIGN(const size_t count,
                source(std::as_writable_bytes(std::span(whole).subspan(before))));
    whole.resize(before + count);
    if (count == 0) return whole;
    if (whole.size() > kMaxBatchBytes) {
      return Fail(ErrorCode::kTooLarge, "it has more than 256 MiB");
    }
  }
}

}  // namespace kvfs::cli
