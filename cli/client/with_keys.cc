// A change that cannot be made durable is an error of its own, where the work went well.

#include "cli/client/with_keys.h"

#include <fmt/format.h>

#include "cli/client/store_access.h"

namespace kvfs::cli {

Outcome WithKeys(const std::string& path, std::string_view command, KeysUse use,
                 const KeysWork& work) {
  const auto store = ResolveStore(path, IfMissing::kFail);
  if (!store) return tl::unexpected(store.error());
  const auto keys = OpenKeys(*store, command, use);
  if (!keys) return tl::unexpected(keys.error());
  const Outcome outcome = work(**keys, *store);
  const auto finished = (*keys)->Finish();
  if (!outcome || finished) return outcome;
  return Stop(ExitCode::kFlushFailed, fmt::format("cannot make the changes of {} durable: {}",
                                                  *store, finished.error().message));
}

}  // namespace kvfs::cli
