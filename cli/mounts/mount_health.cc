// Mounts are accessed by a child process that can be abandoned (cli/base/aside.h).

#include "cli/mounts/mount_health.h"

#include <fmt/format.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>

#include "cli/base/aside.h"
#include "cli/base/paths.h"
#include "cli/base/waiting.h"
#include "cli/mounts/mount_table.h"
#include "cli/mounts/mount_watch.h"

namespace kvfs::cli {
namespace {

constexpr char kFound = '=';

// Not stat: the kernel may answer it from its cache.
std::string AskForSpace(const std::string& mount_point) {
  struct statfs status {};
  const bool is_dead = ::statfs(mount_point.c_str(), &status) != 0 && errno == ENOTCONN;
  return is_dead ? "dead" : "answers";
}

MountHealth HealthBy(const Result<std::string>& answer) {
  // If no process can be started, assume that the mount answers, as most do.
  if (!answer) {
    return answer.error().code == ErrorCode::kIo ? MountHealth::kSilent : MountHealth::kAnswers;
  }
  return *answer == "dead" ? MountHealth::kDead : MountHealth::kAnswers;
}

// The mount point, if the path is literally one, without accessing the disk. The table's paths have
// no symbolic links, so an equal path has none.
std::optional<std::string> MountNamed(const std::vector<MountEntry>& table,
                                      const std::string& path) {
  if (path.find("..") != std::string::npos) return std::nullopt;
  std::string plain = PlainPath(path);
  const auto mount = FindMount(table, plain);
  if (!mount || mount->type != kMountType) return std::nullopt;
  return plain;
}

// A result, or an error preceded by its code, as one text.
std::string ResolveToText(const std::string& path) {
  const auto resolved = ResolvePath(path);
  if (resolved) return kFound + *resolved;
  return static_cast<char>('A' + static_cast<char>(resolved.error().code)) +
         resolved.error().message;
}

bool IsAnyMounted(const CommandResult<std::vector<MountEntry>>& table) {
  return table && std::ranges::find(*table, kMountType, &MountEntry::type) != table->end();
}

// Accesses the mount that the path, or its parent if it does not exist, is in.
void AskBehind(const std::string& path) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) == 0) return;
  const auto parent = std::filesystem::path(path).parent_path();
  static_cast<void>(::statfs(parent.empty() ? "." : parent.c_str(), &status));
}

Result<std::string> FromText(std::string text) {
  if (text.empty()) return Fail(ErrorCode::kUnavailable, "the process that checked it has ended");
  const char front = text.front();
  text.erase(0, 1);
  if (front == kFound) return text;
  return Fail(static_cast<ErrorCode>(front - 'A'), std::move(text));
}

// The path of the open file that a path like /dev/fd/5 names. The process that checks the daemon
// has other descriptors, and the kernel knows the path without the daemon.
std::optional<std::string> PlaceOfDescriptor(const std::string& path) {
  const std::filesystem::path named = std::filesystem::path(path).lexically_normal();
  const std::string directory = named.parent_path().string();
  if (directory != "/dev/fd" && directory != "/proc/self/fd") return std::nullopt;
  std::error_code error;
  const auto place = std::filesystem::read_symlink("/proc/self/fd" / named.filename(), error);
  if (error) return std::nullopt;
  return place.string();
}

}  // namespace

MountHealth LookAtMount(const std::string& mount_point) {
  return LookAtMounts({mount_point}).front();
}

std::vector<MountHealth> LookAtMounts(const std::vector<std::string>& mount_points) {
  std::vector<std::function<std::string()>> looks;
  for (const std::string& mount_point : mount_points) {
    looks.emplace_back([&mount_point] { return AskForSpace(mount_point); });
  }
  std::vector<MountHealth> healths;
  for (const auto& answer : GlanceAside(looks)) healths.push_back(HealthBy(answer));
  return healths;
}

MountHealth AwaitHealth(const std::string& mount_point) {
  constexpr std::chrono::seconds kLooked{1};
  Waiting waiting([&] { return fmt::format("the daemon of {} does not answer", mount_point); },
                  kLooked);
  if (!waiting.GoesOn()) return MountHealth::kSilent;
  return HealthBy(
      DoAside([&] { return AskForSpace(mount_point); }, [&] { return waiting.GoesOn(); }));
}

Result<std::string> ResolvePlace(const std::string& path) {
  const auto table = ReadMountTable();
  if (!IsAnyMounted(table) || path.empty()) return ResolvePath(path);
  if (auto named = MountNamed(*table, path)) return *std::move(named);
  Waiting waiting([&] { return fmt::format("the daemon behind {} does not answer", path); });
  KVFS_ASSIGN(std::string text,
              DoAside([&] { return ResolveToText(path); }, [&] { return waiting.GoesOn(); }));
  return FromText(std::move(text));
}

Result<void> AwaitAnswer(const std::string& path) {
  if (path == "-" || !IsAnyMounted(ReadMountTable())) return {};
  if (const auto place = PlaceOfDescriptor(path)) return WatchPlace(*place);
  Waiting waiting([&] { return fmt::format("the daemon behind {} does not answer", path); });
  const auto asked = DoAside(
      [&] {
        AskBehind(path);
        return ResolveToText(path);
      },
      [&] { return waiting.GoesOn(); });
  if (!asked && asked.error().code == ErrorCode::kIo) return tl::unexpected(asked.error());
  // If no process can be started, assume that the mount answers, as most do.
  const auto place = asked ? FromText(*asked) : Result<std::string>(PlainPath(path));
  return place ? WatchPlace(*place) : Result<void>();
}

}  // namespace kvfs::cli
