// Refuses names that Linux does not allow, and names too long for a key.
#include "fs/names.h"

#include <kvfs/batch.h>

namespace kvfs::fs {

Result<void> CheckName(std::string_view name) {
  using namespace std::string_view_literals;
  if (name.size() > kMaxNameBytes) return Fail(ErrorCode::kNameTooLong);
  const bool reserved = name.empty() || name == "." || name == "..";
  if (reserved || name.find_first_of("/\0"sv) != name.npos) {
    return Fail(ErrorCode::kInvalid, "not a file name: '" + std::string(name) + "'");
  }
  return {};
}

}  // namespace kvfs::fs
