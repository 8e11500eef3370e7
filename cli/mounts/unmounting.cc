// The calls are made by a child process that can be abandoned: for an unmount the kernel may have
// to flush dirty pages, and waits for the daemon without limit.

#include "cli/mounts/unmounting.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "cli/base/aside.h"
#include "cli/base/descriptor.h"
#include "cli/base/subprocess.h"
#include "cli/base/waiting.h"
#include "cli/mounts/mount_users.h"

namespace kvfs::cli {
namespace {

// The child's answer: an exit code, whether the mount is busy, and the message.
constexpr size_t kHeadBytes = 2;

std::string ExplainBusy(const std::string& mount_point) {
  return fmt::format(
      "cannot unmount {}: it is in use{}; end that, or give --wait, --lazy or --force", mount_point,
      DescribeMountUsers(mount_point));
}

CommandResult<> DetachAsRoot(const std::string& mount_point, Unmounting how, bool& is_busy) {
  const int flags = UMOUNT_NOFOLLOW | (how == Unmounting::kLazily ? MNT_DETACH : 0);
  if (::umount2(mount_point.c_str(), flags) == 0) return {};
  const int reason = errno;
  is_busy = reason == EBUSY;
  return Fail(ExitCode::kMountPointBad,
              is_busy ? ExplainBusy(mount_point)
                      : fmt::format("cannot unmount {}: {}", mount_point, std::strerror(reason)));
}

CommandResult<> DetachAsUser(const std::string& mount_point, Unmounting how, bool& is_busy) {
  std::vector<std::string> command = {"fusermount3", "-u"};
  if (how == Unmounting::kLazily) command.emplace_back("-z");
  command.insert(command.end(), {"--", mount_point});
  const Subprocess result = RunProgram(command);
  if (!result.started) {
    return Fail(ExitCode::kFuseUnavailable,
                "cannot run fusermount3, which unmounts for users other than root; install the "
                "package fuse3");
  }
  if (result.exit_status == 0) return {};
  is_busy = result.messages.find(std::strerror(EBUSY)) != std::string::npos;
  return Fail(ExitCode::kMountPointBad,
              is_busy ? ExplainBusy(mount_point)
                      : fmt::format("cannot unmount {}: {}", mount_point, result.messages));
}

std::string DetachToText(const std::string& mount_point, Unmounting how) {
  bool is_busy = false;
  const CommandResult<> detached = ::geteuid() == 0 ? DetachAsRoot(mount_point, how, is_busy)
                                                    : DetachAsUser(mount_point, how, is_busy);
  const ExitCode code = detached ? ExitCode::kOk : detached.error().code;
  return std::string{static_cast<char>(code), is_busy ? '1' : '0'} +
         (detached ? "" : detached.error().text);
}

bool IsThere(const std::string& mount_point) {
  const auto table = ReadMountTable();
  const auto mount = table ? FindMount(*table, mount_point) : std::nullopt;
  return !table || (mount && mount->type == kMountType);
}

bool WriteOne(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() && ::write(file.number(), "1", 1) == 1;
}

}  // namespace

CommandResult<> Detach(const std::string& mount_point, Unmounting how, bool* is_busy) {
  Waiting waiting([&] {
    return fmt::format("the kernel is unmounting {}, and first flushes dirty pages to its daemon",
                       mount_point);
  });
  // A lazy detach does not wait for what happens after the mount is detached.
  const auto goes_on = [&] {
    return waiting.GoesOn() && (how != Unmounting::kLazily || IsThere(mount_point));
  };
  const auto answer = DoAside([&] { return DetachToText(mount_point, how); }, goes_on);
  if (is_busy != nullptr) *is_busy = false;
  if (!answer && how == Unmounting::kLazily && !IsThere(mount_point)) return {};
  if (!answer || answer->size() < kHeadBytes) {
    return Fail(ExitCode::kIoFailed, fmt::format("cannot unmount {}: {}", mount_point,
                                                 answer ? "the process that unmounts has ended"
                                                        : answer.error().message));
  }
  if (is_busy != nullptr) *is_busy = (*answer)[1] == '1';
  const auto code = static_cast<ExitCode>((*answer)[0]);
  if (code == ExitCode::kOk) return {};
  return Fail(code, answer->substr(kHeadBytes));
}

CommandResult<> CutOff(const MountEntry& mount) {
  const std::string control = fmt::format("/sys/fs/fuse/connections/{}/abort", mount.number);
  if (mount.number != 0 && WriteOne(control)) return {};
  const int reason = errno;
  // MNT_FORCE does the same, but then fails if files are still open.
  const auto forced = GlanceAside([&] {
    const int flags = MNT_FORCE | UMOUNT_NOFOLLOW;
    return ::umount2(mount.mount_point.c_str(), flags) == 0 || errno == EBUSY ? "done" : "";
  });
  if (forced && *forced == "done") return {};
  return Fail(ExitCode::kMountPointBad,
              fmt::format("cannot cut {} off from its daemon: {}: {}; root can, after `mount -t "
                          "fusectl none /sys/fs/fuse/connections`",
                          mount.mount_point, control, std::strerror(reason)));
}

}  // namespace kvfs::cli
