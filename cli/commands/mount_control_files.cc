// The settings are described once, at the mount; statistics are reported as they are when read.

#include "cli/commands/mount_control_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "cli/base/json_text.h"
#include "cli/base/version.h"

namespace kvfs::cli {
namespace {

std::string DescribeMount(const fs::MountOptions& options, const MountPlaces& places) {
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

}  // namespace

std::vector<fs::ControlSource> ControlFiles(Store& store, const fs::FileSystem& file_system,
                                            const fs::MountOptions& options,
                                            const MountPlaces& places) {
  const auto state = [&store, &file_system](const fs::MessageCounts& messages) {
    return fs::MountState{store.GetStats(), messages, file_system.CountReferencedInodes()};
  };
  return {{"config",
           [config = DescribeMount(options, places)](const fs::MessageCounts&) { return config; }},
          {"metrics", [state](const auto& messages) { return ReportAsMetrics(state(messages)); }},
          {"stats.json", [state](const auto& messages) { return ReportAsJson(state(messages)); }}};
}

}  // namespace kvfs::cli
