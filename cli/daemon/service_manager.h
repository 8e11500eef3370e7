// Notifications to systemd for a service of Type=notify: sd_notify(3) in a few lines, without its
// library.
#pragma once

#include <string_view>

namespace kvfs::cli {

// Sends a state, such as "READY=1", to the service manager that started this process; does nothing
// without one. Failures are ignored.
void NotifyServiceManager(std::string_view state);

}  // namespace kvfs::cli
