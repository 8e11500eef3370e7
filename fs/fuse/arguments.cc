// Each option is a separate argument; commas in its value are escaped.
#include "fs/fuse/arguments.h"

#include <algorithm>
#include <thread>

namespace kvfs::fs {
namespace {

// A comma would end the option, and a backslash escapes the next character.
std::string Escape(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

FuseArguments::FuseArguments(const MountOptions& options) {
  fuse_opt_add_arg(&arguments_, "kvfs");
  AddOption("default_permissions");
  AddOption("subtype=kvfs");
  AddOption("fsname=" + Escape(options.source));
  if (options.read_only) AddOption("ro");
  if (options.allow_other) AddOption("allow_other");
  if (options.debug) AddOption("debug");
  for (const std::string& option : options.kernel) AddOption(Escape(option));
}

void FuseArguments::AddOption(const std::string& option) {
  fuse_opt_add_arg(&arguments_, ("-o" + option).c_str());
}

unsigned ThreadCount(const MountOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp(std::thread::hardware_concurrency(), 1u, 2u);
}

}  // namespace kvfs::fs
