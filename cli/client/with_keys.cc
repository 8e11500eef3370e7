// A failure to make changes durable is reported even if the work succeeded.

#include "cli/client/with_keys.h"

#include <fmt/format.h>

#include "cli/client/store_place.h"

namespace kvfs::cli {

CommandResult<> FinishKeys(Keys& keys, KeysUse use, const std::string& store,
                           CommandResult<> outcome) {
  const auto finished = keys.Finish();
  if (finished) return outcome;
  const bool is_unknown = use == KeysUse::kChange && keys.HasLostDaemon();
  if (!outcome && is_unknown) outcome.error().code = ExitCode::kFlushFailed;
  if (!outcome) return outcome;
  return Fail(ExitCode::kFlushFailed, fmt::format("cannot make the changes of {} durable: {}",
                                                  store, finished.error().message));
}

CommandResult<> WithKeys(const std::string& path, std::string_view command, KeysUse use,
                         const KeysWork& work) {
  KVFS_ASSIGN(const auto store, ResolveStore(path, IfMissing::kFail));
  KVFS_ASSIGN(const auto keys, OpenKeys(store, command, use));
  return FinishKeys(*keys, use, store, work(*keys, store));
}

}  // namespace kvfs::cli
