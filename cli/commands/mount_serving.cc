// The threads and services behind a mount, from the opening of the store to its end.

#include "cli/commands/mount_serving.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cli/base/user_message.h"
#include "cli/client/store_access.h"
#include "cli/client/store_errors.h"
#include "cli/client/store_keys.h"
#include "cli/commands/mount_control_files.h"
#include "cli/daemon/auto_sync.h"
#include "cli/daemon/idle_unmount.h"
#include "cli/daemon/rpc_server.h"
#include "cli/daemon/service_manager.h"
#include "cli/daemon/stop_signals.h"
#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_failure.h"
#include "cli/mounts/mount_health.h"
#include "fs/fuse/server.h"

namespace kvfs::cli {
namespace {

struct OpenedStore {
  std::unique_ptr<Store> store;
  bool is_shared = false;  // it is only read, and by others as well
};

uint64_t CountMessages(const fs::MessageCounts& messages) {
  uint64_t count = 0;
  for (size_t kind = 0; kind < fs::MessageCounts::kKinds; ++kind) {
    count += messages.Of(static_cast<fs::MessageKind>(kind));
  }
  return count;
}

// None where there is no place for a socket: files are served all the same.
CommandResult<std::unique_ptr<RpcServer>> StartService(const std::string& store,
                                                       const Served& served) {
  auto service = RpcServer::Start(store, served);
  if (service) return *std::move(service);
  const Error& error = service.error();
  if (error.code == ErrorCode::kUnavailable) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot mount {}: {}", store, error.message));
  }
  Tell(Severity::kWarning,
       fmt::format("while {} is mounted, no command reaches it, only the mount's files: {}", store,
                   error.message));
  return nullptr;
}

CommandResult<> ServeMounted(const OpenedStore& opened, fs::FileSystem& file_system,
                             const MountPlaces& places, const MountArguments& arguments,
                             const fs::MountOptions& options, const Log& log, StopSignals& signals,
                             const Ready& ready) {
  Store& store = *opened.store;
  auto server = fs::FuseServer::Mount(file_system, places.mount_point, options,
                                      ControlFiles(store, file_system, options, places));
  if (!server) {
    return tl::unexpected(
        ExplainMountError(places.store, places.mount_point, options, server.error()));
  }
  fs::FuseServer& serving = **server;
  const Served served_to_commands = {
      store,
      file_system,
      arguments.options,
      [&] { return options.read_only || IsReadOnlyMount(places.mount_point); },
      [&serving](std::span<const fs::ChangedName> changed) { serving.TellChanged(changed); },
      [&] { return InnerMountsOf(places.mount_point); }};
  // A store that is shared the commands open themselves.
  KVFS_ASSIGN(const auto service, opened.is_shared
                                      ? CommandResult<std::unique_ptr<RpcServer>>()
                                      : StartService(places.store, served_to_commands));
  const AutoSync auto_sync(store, std::chrono::seconds(options.autosync_seconds));
  const IdleUnmount idle(
      std::chrono::seconds(options.idle_seconds),
      [&] {
        return CountMessages(serving.message_counts()) + (service ? service->CountRequests() : 0);
      },
      [&] {
        if (!serving.UnmountIfIdle()) return false;
        log.Line(
            fmt::format("unmounted {}, which nobody has used for {} seconds; what is written "
                        "there now goes to the directory below",
                        places.mount_point, options.idle_seconds));
        return true;
      });
  signals.Watch([&serving] {
    NotifyServiceManager("STOPPING=1");
    serving.Stop();
  });
  const auto served = serving.Serve([&] {
    if (!ready()) serving.Stop();
  });
  signals.EndWatch();
  if (served) return {};
  return Fail(ExitCode::kIoFailed,
              fmt::format("the mount on {} broke: {}", places.mount_point, served.error().message));
}

// What cannot be written is opened for reading, where no more is wanted: it writes nothing, and
// others may read beside it.
Result<OpenedStore> OpenToServe(const std::string& path, const fs::MountOptions& mount,
                                OpenOptions options) {
  auto store = OpenPatiently(path, options);
  if (store) return OpenedStore{*std::move(store), false};
  if (store.error().code != ErrorCode::kPermission) return tl::unexpected(store.error());
  options.read_only = true;
  KVFS_ASSIGN(auto readable, OpenPatiently(path, options));
  if (!mount.read_only) {
    return Fail(ErrorCode::kPermission, store.error().message + "; `-o ro` mounts it");
  }
  // One that shows an older state than was promised is no store to show.
  KVFS_TRY(readable->Damage());
  return OpenedStore{std::move(readable), true};
}

// Closes the store. One that could not be closed keeps its lock, and the lock its text, until the
// process ends: hence it is leaked on purpose.
CommandResult<> CloseStore(std::unique_ptr<Store> store, const std::string& path) {
  const auto closed = store->Close();
  if (closed) return {};
  [[maybe_unused]] const Store* kept = store.release();
  return Fail(ExitCode::kFlushFailed,
              fmt::format("cannot close the store {}: {}; what was acknowledged is in its log, "
                          "unless the disk is at fault",
                          path, closed.error().message));
}

}  // namespace

CommandResult<> ServeStore(const MountPlaces& places, const MountArguments& arguments,
                           const fs::MountOptions& options, const Log& log, const Ready& ready) {
  StopSignals signals;
  OpenOptions open;
  open.purpose = MountPurpose(places.mount_point);
  open.log = [&log](std::string_view line) { log.Line(line); };
  auto opened = OpenToServe(places.store, options, open);
  if (!opened) return tl::unexpected(ExplainStoreError(places.store, opened.error()));
  fs::FileSystemOptions offered;
  offered.kernel_holds_contents = options.writeback;
  offered.short_offsets = options.short_offsets;
  auto file_system = OpenFileSystem(*opened->store, offered);
  if (!file_system) return tl::unexpected(ExplainStoreError(places.store, file_system.error()));
  const CommandResult<> served =
      ServeMounted(*opened, **file_system, places, arguments, options, log, signals, ready);
  file_system->reset();
  const CommandResult<> closed = CloseStore(std::move(opened->store), places.store);
  return closed ? served : closed;
}

}  // namespace kvfs::cli
