// What systemd wants to hear of a service of Type=notify: sd_notify(3), in the few lines that it
// takes, without its library.
#pragma once

#include <string_view>

namespace kvfs::cli {

// Sends one state, as "READY=1", to the service manager that has started this process; does nothing
// where there is none. Nobody waits for an answer, so nothing can fail that matters.
void NotifyServiceManager(std::string_view state);

}  // namespace kvfs::cli
