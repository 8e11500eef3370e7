// `kvfs version`: what a report of a fault should name.

#include "cli/version.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "cli/command.h"
#include "cli/subprocess.h"

namespace kvfs::cli {
namespace {

// The FUSE that users other than root mount through: it comes with the library, in one package.
std::string FuseVersion() {
  const Subprocess fusermount = RunProgram({"fusermount3", "--version"});
  return fusermount.started ? fusermount.messages : "fusermount3 is not installed";
}

Outcome Version() {
  utsname system{};
  ::uname(&system);
  fmt::print("kvfs {}\n{}\n{} {}\n", kVersion, FuseVersion(), system.sysname, system.release);
  return {};
}

}  // namespace

Runner DefineVersion(CLI::App&) { return Version; }

}  // namespace kvfs::cli
