// One line of the program for a person, on standard error: "kvfs: " and a sentence.
//
// A terminal shows the name in colour, by how bad it is. Where standard error leads to the
// journal, as that of a systemd service does, the line begins with its priority as "<3>", which
// the journal takes off (sd-daemon(3)): so `journalctl -p err` finds what failed.
#pragma once

#include <string>
#include <string_view>

namespace kvfs::cli {

// The numbers are syslog's.
enum class Severity { kError = 3, kWarning = 4, kNotice = 5 };

// Whether standard error is the stream that JOURNAL_STREAM names.
bool StderrIsJournal();

// The line, with what belongs before it and the newline. `program` is the name it was called by.
std::string MessageLine(Severity severity, std::string_view text,
                        std::string_view program = "kvfs");

// Writes it.
void Tell(Severity severity, std::string_view text);

}  // namespace kvfs::cli
