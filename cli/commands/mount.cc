// `kvfs mount`: opens the store, mounts it, serves it until it is unmounted or told to stop, and
// closes it.
//
// All of this happens in the process that serves: in the background that is a child, forked before
// anything else (cli/daemon/background.h). Here are the arguments and the places; the serving is in
// cli/commands/mount_serving.h.

#include "cli/commands/mount.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>

#include "cli/base/paths.h"
#include "cli/base/user_message.h"
#include "cli/client/store_place.h"
#include "cli/commands/command.h"
#include "cli/commands/mount_serving.h"
#include "cli/daemon/background.h"
#include "cli/daemon/log.h"
#include "cli/daemon/remount.h"
#include "cli/daemon/service_manager.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_option_table.h"
#include "cli/mounts/mount_options.h"
#include "cli/mounts/mount_point.h"
#include "cli/mounts/mount_watch.h"

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

CommandResult<MountPlaces> Prepare(const MountArguments& arguments,
                                   const fs::MountOptions& options) {
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
  return MountPlaces{store, *mount_point};
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
  // A daemon outlives the command, and must not end with a watcher, nor when a mount around it is
  // silent for a while. mount(8)'s helper comes here, too.
  ForgoWatching();
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
