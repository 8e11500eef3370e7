// `kvfs mount`: opens the store, mounts it, serves it until it is unmounted or told to stop, and
// closes it.
//
// All of this happens in the process that serves: in the background that is a child, forked before
// anything else (cli/daemon/background.h). Order of the start: paths, mount point, signals blocked,
// store (its threads inherit the blocked signals), file system, mount, signal thread, service. The
// end undoes it from the back, and only a store that could be closed is released: a text that stays
// in the lock file tells `kvfs unmount` that something went wrong.

#include "cli/commands/mount.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iterator>
#include <memory>

#include "cli/base/json_text.h"
#include "cli/base/paths.h"
#include "cli/base/user_message.h"
#include "cli/base/version.h"
#include "cli/client/store_access.h"
#include "cli/client/store_keys.h"
#include "cli/commands/command.h"
#include "cli/daemon/auto_sync.h"
#include "cli/daemon/background.h"
#include "cli/daemon/idle_unmount.h"
#include "cli/daemon/log.h"
#include "cli/daemon/remount.h"
#include "cli/daemon/rpc_server.h"
#include "cli/daemon/service_manager.h"
#include "cli/daemon/stop_signals.h"
#include "cli/mounts/lock_file.h"
#include "cli/mounts/mount_failure.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_option_table.h"
#include "cli/mounts/mount_options.h"
#include "cli/mounts/mount_point.h"
#include "fs/fuse/control_reports.h"
#include "fs/fuse/server.h"

namespace kvfs::cli {
namespace {

CommandResult<Log> OpenLog(const MountArguments& arguments) {
  if (!arguments.log_path.empty()) return Log::ToFile(arguments.log_path);
  return arguments.foreground ? Log::ToStandardError() : Log::ToSystem();
}

CommandResult<> CheckLogPath(const std::string& log_path, const std::string& mount_point) {
  if (log_path.empty()) return {};
  const auto resolved = ResolvePlace(log_path);
  if (!resolved && resolved.error().code == ErrorCode::kIo) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot write the log file {}: {}", log_path,
                                                 resolved.error().message));
  }
  if (!resolved || !IsWithin(*resolved, mount_point)) return {};
  return Fail(ExitCode::kUsage,
              fmt::format("the log file {} lies in the mount point; a daemon cannot write into the "
                          "files that it serves",
                          *resolved));
}

struct OpenedStore {
  std::unique_ptr<Store> store;
  bool is_shared = false;  // it is only read, and by others as well
};

struct Places {
  std::string store;
  std::string mount_point;
};

CommandResult<Places> Prepare(const MountArguments& arguments, const fs::MountOptions& options) {
  KVFS_ASSIGN(const auto store, ResolveStore(arguments.store, arguments.create ? IfMissing::kCreate
                                                                               : IfMissing::kFail));
  std::string told;
  const auto mount_point = PrepareMountPoint(arguments.mount_point, store, options.nonempty, told);
  if (!told.empty()) Tell(Severity::kNotice, told);
  if (!mount_point) return tl::unexpected(mount_point.error());
  const CommandResult<> usable = CheckLogPath(arguments.log_path, *mount_point).and_then([&] {
    return arguments.create ? CreateIfMissing(store) : CommandResult<>();
  });
  if (!usable) return tl::unexpected(usable.error());
  return Places{store, *mount_point};
}

std::string DescribeMount(const fs::MountOptions& options, const Places& places) {
  Json config;
  config["version"] = kVersion;
  config["pid"] = ::getpid();
  SetBytes(config, "store", places.store);
  SetBytes(config, "mount_point", places.mount_point);
  config["read_only"] = options.read_only;
  config["allow_other"] = options.allow_other;
  if (options.shown.uid) config["uid"] = *options.shown.uid;
  if (options.shown.gid) config["gid"] = *options.shown.gid;
  if (options.shown.umask) config["umask"] = fmt::format("{:03o}", *options.shown.umask);
  config["threads"] = options.threads;
  config["options"] = options.kernel;
  return ToLine(config) + "\n";
}

std::vector<fs::ControlSource> ControlFiles(Store& store, const fs::FileSystem& file_system,
                                            const fs::MountOptions& options, const Places& places) {
  const auto state = [&store, &file_system](const fs::MessageCounts& messages) {
    return fs::MountState{store.GetStats(), messages, file_system.CountReferencedInodes()};
  };
  return {{"config",
           [config = DescribeMount(options, places)](const fs::MessageCounts&) { return config; }},
          {"metrics", [state](const auto& messages) { return ReportAsMetrics(state(messages)); }},
          {"stats.json", [state](const auto& messages) { return ReportAsJson(state(messages)); }}};
}

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
                             const Places& places, const MountArguments& arguments,
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

// Returns after the end of the mount.
CommandResult<> ServeStore(const Places& places, const MountArguments& arguments,
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

CommandResult<> Serve(const MountArguments& arguments, fs::MountOptions options,
                      const Ready& ready) {
  KVFS_ASSIGN(const auto places, Prepare(arguments, options));
  if (options.source.empty()) options.source = places.store;
  const auto log = OpenLog(arguments);
  if (!log) return tl::unexpected(log.error());
  bool was_ready = false;
  const CommandResult<> outcome = ServeStore(places, arguments, options, *log, [&] {
    was_ready = true;
    return ready();
  });
  // Before that the caller hears of it; from then on only the log does.
  if (!outcome && was_ready && !arguments.foreground)
    log->Line(outcome.error().text, Severity::kError);
  return outcome;
}

// With the names of their values.
std::string ListMountOptions() {
  std::string list;
  for (const MountOption& option : MountOptionTable()) {
    fmt::format_to(std::back_inserter(list), "{}{}{}{}", list.empty() ? "" : ", ", option.name,
                   option.value.empty() ? "" : "=", option.value);
  }
  return list;
}

}  // namespace

CommandResult<> Mount(const MountArguments& arguments) {
  const auto unknown = arguments.sloppy ? UnknownOptions::kPassOver : UnknownOptions::kRefuse;
  KVFS_ASSIGN(const auto options, ParseMountOptions(arguments.options, unknown));
  if (options.remount) return Remount(arguments.mount_point, arguments.options, unknown);
  const Work work = [&](const Ready& ready) { return Serve(arguments, options, ready); };
  if (arguments.foreground) {
    return work([] {
      NotifyServiceManager("READY=1");
      return true;
    });
  }
  return RunInBackground(work);
}

Runner DefineMount(CLI::App& parser) {
  const auto arguments = std::make_shared<MountArguments>();
  parser.add_option("STORE", arguments->store, "Directory of the store")->required();
  parser.add_option("MOUNTPOINT", arguments->mount_point, "An empty directory outside the store")
      ->required();
  parser
      .add_option("-o", arguments->options,
                  fmt::format("Mount options, separated by commas: {}, dev, suid, exec, sync, "
                              "dirsync, noatime, and their opposites",
                              ListMountOptions()))
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("OPTION,...");
  parser.add_flag("-f,--foreground", arguments->foreground,
                  "Serve in this process until unmounted or terminated by SIGTERM");
  parser.add_flag("--create", arguments->create, "Create the store if there is none");
  parser.add_option("--log", arguments->log_path, "Append log lines to a file, not to syslog");
  parser.footer("Example: kvfs mount --create ~/store ~/kv");
  return [arguments] { return Mount(*arguments); };
}

}  // namespace kvfs::cli
