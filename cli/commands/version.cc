// `kvfs version`: the versions that a bug report should state.

#include "cli/base/version.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <memory>

#include "cli/base/json_text.h"
#include "cli/base/subprocess.h"
#include "cli/commands/command.h"
#include "fs/fuse/kernel_version_probe.h"
#include "fs/fuse/version.h"

namespace kvfs::cli {
namespace {

// The version of fusermount3, through which users other than root mount; empty if it is not
// installed.
std::string HelperVersion() {
  const Subprocess fusermount = RunProgram({"fusermount3", "--version"});
  if (!fusermount.started || fusermount.exit_status != 0) return {};
  // "fusermount3 version: 3.14.0"
  return fusermount.messages.substr(fusermount.messages.rfind(' ') + 1);
}

std::string Or(const std::string& text, const char* otherwise) {
  return text.empty() ? otherwise : text;
}

void PrintText(const utsname& system) {
  const fs::FuseProtocol protocol = fs::AskFuseProtocol();
  fmt::print(
      "kvfs {}\n"
      "libfuse {}, speaks FUSE {}\n"
      "fusermount3 {}\n"
      "{} {}, speaks FUSE {}\n",
      kVersion, fs::LibfuseVersion(), Or(protocol.libfuse, "of an unknown version"),
      Or(HelperVersion(), "is not installed"), system.sysname, system.release,
      Or(protocol.kernel, "of an unknown version, since mounting is not permitted here"));
}

void PrintJson(const utsname& system) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const fs::FuseProtocol protocol = fs::AskFuseProtocol();
  Json line;
  line["kvfs"] = kVersion;
  line["libfuse"] = fs::LibfuseVersion();
  line["libfuse_protocol"] = or_null(protocol.libfuse);
  line["fusermount3"] = or_null(HelperVersion());
  line["system"] = system.sysname;
  line["kernel"] = system.release;
  line["kernel_protocol"] = or_null(protocol.kernel);
  fmt::print("{}\n", ToLine(line));
}

}  // namespace

Runner DefineVersion(CLI::App& parser) {
  const auto json = std::make_shared<bool>(false);
  parser.add_flag("--json", *json, "One JSON object; null if unknown");
  parser.footer(
      "The version of FUSE is that of the protocol; a mount uses the older of the two.\n"
      "Example: kvfs version");
  return [json]() -> CommandResult<> {
    utsname system{};
    ::uname(&system);
    *json ? PrintJson(system) : PrintText(system);
    return {};
  };
}

}  // namespace kvfs::cli
