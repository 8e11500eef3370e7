// The probing process writes lines to a pipe, its standard output: libfuse's, and then, if the
// kernel answered, one of ours.
#include "fs/fuse/kernel_version_probe.h"

#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace kvfs::fs {
namespace {

// libfuse's wording.
constexpr char kLibfuseLine[] = "using FUSE kernel interface version ";
constexpr char kKernelLine[] = "kernel ";

bool EnterOwnNamespace() {
  const int others = geteuid() == 0 ? 0 : CLONE_NEWUSER;
  return unshare(CLONE_NEWNS | others) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// The mount is invisible to other processes, and ends with this one.
void AskKernel() {
  if (!EnterOwnNamespace()) return;
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (device < 0) return;
  std::array<char, 100> options;
  std::snprintf(options.data(), options.size(), "fd=%d,rootmode=40000,user_id=%u,group_id=%u",
                device, geteuid(), getegid());
  if (mount("kvfs", "/", "fuse", MS_NOSUID | MS_NODEV, options.data()) != 0) return;
  struct {
    fuse_in_header header;
    fuse_init_in init;
    char room[FUSE_MIN_READ_BUFFER];
  } message = {};
  if (read(device, &message, sizeof message) < static_cast<ssize_t>(sizeof message.header)) return;
  if (message.header.opcode != FUSE_INIT) return;
  std::printf("%s%u.%u\n", kKernelLine, message.init.major, message.init.minor);
}

[[noreturn]] void Answer(int pipe) {
  dup2(pipe, STDOUT_FILENO);
  fuse_lowlevel_version();
  AskKernel();
  std::fflush(stdout);
  _exit(0);
}

std::string ReadToEnd(int pipe) {
  std::string text;
  std::array<char, 256> piece;
  ssize_t count = 0;
  while ((count = read(pipe, piece.data(), piece.size())) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) text.append(piece.data(), static_cast<size_t>(count));
  }
  return text;
}

// The rest of the line after `before`.
std::string Rest(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  if (at == std::string::npos) return {};
  const size_t from = at + before.size();
  return text.substr(from, text.find('\n', from) - from);
}

}  // namespace

FuseProtocol AskFuseProtocol() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  std::fflush(stdout);
  const pid_t process = fork();
  if (process == 0) Answer(ends[1]);
  close(ends[1]);
  const std::string text = ReadToEnd(ends[0]);
  close(ends[0]);
  while (process > 0 && waitpid(process, nullptr, 0) < 0 && errno == EINTR) continue;
  return {Rest("\n" + text, std::string("\n") + kKernelLine), Rest(text, kLibfuseLine)};
}

}  // namespace kvfs::fs
