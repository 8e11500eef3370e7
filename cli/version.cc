// `kvfs version`: what a report of a fault should name.

#include "cli/version.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "cli/command.h"
#include "cli/subprocess.h"
#include "fs/fuse_version.h"

namespace kvfs::cli {
namespace {

// Of the program that users other than root mount through.
std::string HelperVersion() {
  const Subprocess fusermount = RunProgram({"fusermount3", "--version"});
  return fusermount.started ? fusermount.messages : "fusermount3 is not installed";
}

Outcome Version() {
  utsname system{};
  ::uname(&system);
  fmt::print("kvfs {}\nlibfuse {}\n{}\n{} {}\n", kVersion, fs::LibfuseVersion(), HelperVersion(),
             system.sysname, system.release);
  return {};
}

}  // namespace

Runner DefineVersion(CLI::App& parser) {
  parser.footer("Example: kvfs version");
  return Version;
}

}  // namespace kvfs::cli
