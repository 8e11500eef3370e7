// One namespace for all cases; each removes the mounts that it made over files.

#include "tests/cli/ordinary_user.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace kvfs::cli {
namespace {

namespace stdfs = std::filesystem;

// This user exists on every system; no other property of it is used.
constexpr uid_t kNobody = 65534;
constexpr char kAsNobody[] = "exec setpriv --reuid=65534 --regid=65534 --clear-groups ";

// Bazel's directories may be in root's home, which others cannot enter.
bool UseOpenDirectory() { return ::setenv("TEST_TMPDIR", "/tmp", 1) == 0; }
const bool is_open = UseOpenDirectory();

bool LeaveMountNamespace() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

OrdinaryUser::OrdinaryUser() {
  if (::geteuid() != 0) return;
  ::chmod(directory().c_str(), 0755);
  stdfs::create_directory(home());
  stdfs::create_directory(directory() + "/dev");
  stdfs::copy_file(ProgramPath(), directory() + "/kvfs");
  ::chmod((directory() + "/kvfs").c_str(), 0755);
  [[maybe_unused]] const int ignored = ::chown(home().c_str(), kNobody, kNobody);
}

void OrdinaryUser::SetUp() {
  // Only root can become another user; an ordinary user runs all other tests as such.
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  ASSERT_TRUE(is_open);
  static const bool has_left = LeaveMountNamespace();
  ASSERT_TRUE(has_left);
  // /tmp may be on a disk that is mounted without devices.
  ASSERT_EQ(::mount("none", (directory() + "/dev").c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(::mknod(device().c_str(), S_IFCHR, makedev(10, 229)), 0);
  ASSERT_EQ(::chmod(device().c_str(), 0666), 0);
  Cover("/dev/fuse", device());
}

OrdinaryUser::~OrdinaryUser() {
  for (auto path = covered_.rbegin(); path != covered_.rend(); ++path) {
    ::umount2(path->c_str(), MNT_DETACH);
  }
  ::umount2((directory() + "/dev").c_str(), MNT_DETACH);
}

ProgramRun OrdinaryUser::As(const std::string& command) const {
  return RunShell("cd '" + home() + "' && export K='" + directory() + "/kvfs' && " + kAsNobody +
                  "sh -c '" + command + "'");
}

void OrdinaryUser::ExpectRefused(const std::string& command, int status,
                                 const std::vector<std::string>& named) const {
  const ProgramRun run = As(command);
  EXPECT_EQ(run.status, status) << command << ": " << run.err;
  for (const std::string& word : named) {
    EXPECT_NE(run.err.find(word), std::string::npos) << word << " is not in: " << run.err;
  }
  EXPECT_EQ(run.err.find('\n'), run.err.size() - 1) << "more than one line: " << run.err;
}

void OrdinaryUser::Replace(const std::string& path, const std::string& text) {
  const std::string file = directory() + "/dev/" + stdfs::path(path).filename().string();
  std::ofstream(file) << text;
  Cover(path, file);
}

void OrdinaryUser::Install() {
  const std::string sbin = stdfs::canonical("/sbin");
  const std::string upper = directory() + "/dev/sbin";
  stdfs::create_directory(upper);
  stdfs::create_directory(upper + ".work");
  for (const char* name : {"mount.kvfs", "fsck.kvfs", "kvfs"}) {
    stdfs::create_symlink(directory() + "/kvfs", upper + "/" + name);
  }
  const std::string options =
      "lowerdir=" + sbin + ",upperdir=" + upper + ",workdir=" + upper + ".work";
  ASSERT_EQ(::mount("none", sbin.c_str(), "overlay", 0, options.c_str()), 0);
  covered_.push_back(sbin);
  // A program that would take precedence over the general helper for FUSE.
  RunShell("rm -f /sbin/mount.fuse.kvfs");
}

void OrdinaryUser::Cover(const std::string& path, const std::string& file) {
  ASSERT_EQ(::mount(file.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0) << path;
  covered_.push_back(path);
}

}  // namespace kvfs::cli
