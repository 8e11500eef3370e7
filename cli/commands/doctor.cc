// `kvfs doctor`: whether this user can mount a store on this machine, and if not, the remedy.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cli/base/aside.h"
#include "cli/base/descriptor.h"
#include "cli/base/paths.h"
#include "cli/base/shown_text.h"
#include "cli/base/subprocess.h"
#include "cli/base/terminal_colour.h"
#include "cli/commands/command.h"
#include "cli/commands/file_system_kind.h"
#include "cli/mounts/mount_health.h"
#include "cli/mounts/mount_table.h"
#include "fs/fuse/kernel_version_probe.h"

namespace kvfs::cli {
namespace {

// With a lower limit, the threads, shards and commands of one daemon may lack descriptors.
constexpr rlim_t kFewFiles = 1024;

class Examination {
 public:
  explicit Examination(std::string store) : store_(std::move(store)) {}

  CommandResult<> Run() {
    LookAtKernel();
    LookAtDevice();
    LookAtHelper();
    LookAtConfiguration();
    LookAtLimits();
    LookAtMounts();
    LookAtFileSystem();
    if (failures_ == 0) return {};
    return Fail(ExitCode::kFuseUnavailable,
                fmt::format("{} of these must be fixed before a store can be mounted", failures_));
  }

 private:
  static void Good(const std::string& text) { Print(Colour::kGood, "good", text); }
  static void Note(const std::string& text) { Print(Colour::kWarning, "note", text); }
  void Bad(const std::string& text) {
    Print(Colour::kError, "problem", text);
    ++failures_;
  }
  static void Print(Colour colour, std::string_view verdict, const std::string& text) {
    fmt::print("{}  {}\n", Paint(stdout, colour, fmt::format("{:<7}", verdict)),
               ShownText(stdout, text));
  }

  static void LookAtKernel() {
    utsname system{};
    ::uname(&system);
    Good(fmt::format("the kernel is {} {}", system.sysname, system.release));
  }

  void LookAtDevice() {
    const Descriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (device.valid()) {
      Good("/dev/fuse can be opened");
      return TryToMount();
    }
    if (errno == ENOENT) {
      return Bad("there is no /dev/fuse: `modprobe fuse`, or give the container the device");
    }
    Bad(fmt::format("/dev/fuse cannot be opened ({}): its mode should be 0666",
                    ErrorOfErrno(errno).message));
  }

  // Other users mount through fusermount3, which has root's rights.
  void TryToMount() {
    if (::geteuid() != 0) return;
    const fs::FuseProtocol protocol = fs::AskFuseProtocol();
    if (!protocol.kernel.empty()) {
      return Good(fmt::format("root may mount; the kernel speaks FUSE {}", protocol.kernel));
    }
    Bad("the kernel refuses a mount: mounting needs the capability SYS_ADMIN, which a container "
        "must be given");
  }

  void LookAtHelper() {
    const Subprocess helper = RunProgram({"fusermount3", "--version"});
    if (helper.started && helper.exit_status == 0) return Good(helper.messages);
    if (::geteuid() == 0) return Note("fusermount3 is not installed; root needs none");
    Bad("fusermount3 is not installed, through which users mount: install the package fuse3");
  }

  static void LookAtConfiguration() {
    std::ifstream file("/etc/fuse.conf");
    for (std::string line; std::getline(file, line);) {
      if (line == "user_allow_other") return Good("all users may use -o allow_other");
    }
    Note("only root may use -o allow_other; for others write user_allow_other into /etc/fuse.conf");
  }

  static void LookAtLimits() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur >= kFewFiles) {
      return Good(fmt::format("a process may open {} files", files.rlim_cur));
    }
    Note(
        fmt::format("a process may open only {} files: `ulimit -n {}`", files.rlim_cur, kFewFiles));
  }

  void LookAtMounts() {
    const auto table = ReadMountTable();
    if (!table) return Note(table.error().text);
    const std::vector<MountEntry> mounts = KvfsMounts(*table);
    const std::vector<MountHealth> healths = cli::LookAtMounts(MountPoints(mounts));
    for (size_t i = 0; i < mounts.size(); ++i) {
      if (healths[i] == MountHealth::kAnswers) continue;
      const bool is_dead = healths[i] == MountHealth::kDead;
      if (!is_dead) silent_.push_back(mounts[i].mount_point);
      Note(fmt::format("the daemon of {0} {1}: `kvfs unmount {2}{0}`", mounts[i].mount_point,
                       is_dead ? "has died" : "does not answer", is_dead ? "" : "--force "));
    }
  }

  // Examines the store given as argument. A daemon that did not answer is not asked again.
  void LookAtFileSystem() const {
    if (store_.empty()) return;
    const bool is_silent = std::ranges::any_of(
        silent_, [&](const std::string& place) { return IsWithin(PlainPath(store_), place); });
    const auto caveat =
        is_silent ? Result<std::string>(Fail(ErrorCode::kIo, "its daemon does not answer"))
                  : GlanceAside([&] { return std::string(CaveatAt(store_)); });
    if (!caveat) return Note(fmt::format("{}: {}", store_, caveat.error().message));
    if (caveat->empty()) {
      return Good(fmt::format("{} lies on a suitable file system", store_));
    }
    Note(fmt::format("{} lies on a file system that is {}", store_, *caveat));
  }

  const std::string store_;
  std::vector<std::string> silent_;  // mounts whose daemons do not answer
  int failures_ = 0;
};

}  // namespace

Runner DefineDoctor(CLI::App& parser) {
  const auto store = std::make_shared<std::string>();
  parser.add_option("STORE", *store, "A store, or the place for one: checks its file system");
  parser.footer("Example: kvfs doctor ~/store");
  return [store] { return Examination(*store).Run(); };
}

}  // namespace kvfs::cli
