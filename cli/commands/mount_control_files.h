// The files of a mount's control directory: its settings, and its statistics in two formats.
#pragma once

#include <vector>

#include <kvfs/store.h>
#include "cli/commands/mount.h"
#include "cli/mounts/mount_options.h"
#include "fs/file_system.h"
#include "fs/fuse/control_reports.h"
#include "fs/fuse/server.h"

namespace kvfs::cli {

// `store` and `file_system` must outlive the sources.
std::vector<fs::ControlSource> ControlFiles(Store& store, const fs::FileSystem& file_system,
                                            const fs::MountOptions& options,
                                            const MountPlaces& places);

}  // namespace kvfs::cli
