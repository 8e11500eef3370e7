// Walks /proc, reading only links and texts, and so never accesses the mount itself.

#include "cli/mounts/mount_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/base/paths.h"
#include "cli/mounts/mount_table.h"

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

// Long enough to find the culprit, short enough for one line.
constexpr size_t kMaxNamed = 5;

struct ProcessLink {
  const char* name;
  const char* wording;
};
constexpr ProcessLink kLinks[] = {
    {"cwd", "works in {}"}, {"root", "has its root in {}"}, {"exe", "runs {}"}};

std::optional<int> ParsePid(const std::string& name) {
  int pid = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || stop != name.data() + name.size()) return std::nullopt;
  return pid;
}

// The link's target, if it is in the mount.
std::optional<std::string> TargetWithin(const stdfs::path& link, std::string_view mount_point) {
  std::error_code error;
  std::string target = stdfs::read_symlink(link, error).string();
  if (error || !IsWithin(target, mount_point)) return std::nullopt;
  return target;
}

std::optional<std::string> FindOpenFile(const stdfs::path& process, std::string_view mount_point) {
  std::error_code error;
  for (stdfs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    if (auto target = TargetWithin(entry->path(), mount_point)) return target;
  }
  return std::nullopt;
}

std::optional<std::string> FindMapping(const stdfs::path& process, std::string_view mount_point) {
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    if (path != std::string::npos && IsWithin(std::string_view(line).substr(path), mount_point)) {
      return line.substr(path);
    }
  }
  return std::nullopt;
}

// How the process uses the mount, if it does.
std::optional<std::string> FindUse(const stdfs::path& process, std::string_view mount_point) {
  for (const ProcessLink& link : kLinks) {
    if (const auto target = TargetWithin(process / link.name, mount_point)) {
      return fmt::format(fmt::runtime(link.wording), *target);
    }
  }
  if (const auto file = FindOpenFile(process, mount_point)) {
    return fmt::format("has {} open", *file);
  }
  if (const auto file = FindMapping(process, mount_point)) {
    return fmt::format("has {} mapped", *file);
  }
  return std::nullopt;
}

std::string ProgramName(const stdfs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

std::vector<MountUser> FindMountUsers(std::string_view mount_point) {
  std::vector<MountUser> users;
  std::error_code error;
  for (stdfs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto pid = ParsePid(entry->path().filename().string());
    if (!pid) continue;
    if (auto use = FindUse(entry->path(), mount_point)) {
      users.push_back({*pid, ProgramName(entry->path()), *std::move(use)});
    }
  }
  return users;
}

std::string DescribeMountUsers(std::string_view mount_point) {
  std::vector<std::string> all;
  for (const MountUser& user : FindMountUsers(mount_point)) {
    all.push_back(fmt::format("process {} ({}: {})", user.pid, user.program, user.how));
  }
  const auto table = ReadMountTable();
  for (const MountEntry& mount : table.value_or(std::vector<MountEntry>())) {
    if (mount.mount_point == mount_point || !IsWithin(mount.mount_point, mount_point)) continue;
    all.push_back(fmt::format("a mount inside it, on {}", mount.mount_point));
  }
  if (all.empty()) return ", by a process that is not visible from here";
  const size_t named = std::min(all.size(), kMaxNamed);
  return fmt::format(" by {}{}", fmt::join(all.begin(), all.begin() + named, ", "),
                     all.size() > named ? fmt::format(", and {} more", all.size() - named) : "");
}

}  // namespace kvfs::cli
