// Two lines of /proc/PID/status.
#include "fs/process_rights.h"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace kvfs::fs {
namespace {

constexpr int kCapFsetid = 4;  // the bit's number, as in capabilities(7)

// The value of `field`; empty if there is no such process.
std::istringstream StatusOf(uint32_t process, std::string_view field) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::istringstream(line.substr(field.size()));
  }
  return {};
}

}  // namespace

bool HasFurtherGroup(uint32_t process, uint32_t group) {
  std::istringstream groups = StatusOf(process, "Groups:");
  for (uint32_t one = 0; groups >> one;) {
    if (one == group) return true;
  }
  return false;
}

bool HasFsetid(uint32_t process) {
  uint64_t capabilities = 0;
  StatusOf(process, "CapEff:") >> std::hex >> capabilities;
  return (capabilities >> kCapFsetid & 1) != 0;
}

}  // namespace kvfs::fs
