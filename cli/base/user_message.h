// One line for the user on standard error: "kvfs: " and a sentence.
//
// A terminal shows the name in a colour by severity. If standard error is the journal, as in a
// systemd service, the line begins with its priority, as "<3>", which the journal removes
// (sd-daemon(3)): so `journalctl -p err` finds failures.
#pragma once

#include <string>
#include <string_view>

namespace kvfs::cli {

// The numbers are syslog's.
enum class Severity { kError = 3, kWarning = 4, kNotice = 5 };

// Whether standard error is the stream that JOURNAL_STREAM names.
bool StderrIsJournal();

// The line, with its prefix and the newline. `program` is the name of the program as called.
std::string MessageLine(Severity severity, std::string_view text,
                        std::string_view program = "kvfs");

// Writes it.
void Tell(Severity severity, std::string_view text);

}  // namespace kvfs::cli
