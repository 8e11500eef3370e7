// Requests are single packets: a letter and a path. Answers are an errno.
#include "fs/fuse/agent.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fs/fuse/open_suppressor.h"

namespace kvfs::fs {
namespace {

constexpr char kProbe = 'p', kRefresh = 'r', kUnmount = 'u';
constexpr int kRefreshTimeoutMs = 5'000;
constexpr int kForever = -1;

struct Request {
  char kind;
  char path[PATH_MAX];  // ends with a zero
};

// --- in the agent: nothing that takes a lock or memory ---

int Flush(const char* mountpoint) {
  const int directory = open(mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno;
  const int result = syncfs(directory) == 0 ? 0 : errno;
  close(directory);
  return result;
}

int CarryOut(const Request& request) {
  struct stat ignored;
  switch (request.kind) {
    case kProbe:
      return OpenSuppressor::MakeFirstOpen(request.path) ? 0 : EIO;
    case kRefresh:
      return lstat(request.path, &ignored) == 0 ? 0 : errno;
    case kUnmount:
      static_cast<void>(Flush(request.path));
      return umount2(request.path, UMOUNT_NOFOLLOW) == 0 ? 0 : errno;
    default:
      return EINVAL;
  }
}

// The server decides when the agent ends, whatever signals the two receive.
void IgnoreSignals() {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGURG, SIGUSR1, SIGUSR2}) {
    signal(number, SIG_IGN);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Standard streams become /dev/null, so that readers of the server's output see its end.
void KeepOnly(int socket) {
  constexpr int kSocket = 3;
  if (socket != kSocket) dup2(socket, kSocket);
  closefrom(kSocket + 1);
  const int nothing = open("/dev/null", O_RDWR);
  for (int stream = 0; stream < kSocket && nothing >= 0; ++stream) dup2(nothing, stream);
  if (nothing > kSocket) close(nothing);
}

[[noreturn]] void ServeUntilHangUp(int socket) {
  KeepOnly(socket);
  IgnoreSignals();
  prctl(PR_SET_NAME, "kvfs-agent");
  if (chdir("/") != 0) _exit(1);
  static Request request;
  while (recv(3, &request, sizeof request, 0) > 0) {
    request.path[sizeof request.path - 1] = '\0';
    const int answer = CarryOut(request);
    if (send(3, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
  }
  _exit(0);
}

// --- in the server ---

bool HasAnswerWithin(int socket, int timeout_ms, int cancel) {
  pollfd events[] = {{socket, POLLIN, 0}, {cancel, POLLIN, 0}};  // a negative one is passed over
  while (poll(events, 2, timeout_ms) < 0 && errno == EINTR) continue;
  return events[0].revents != 0;
}

}  // namespace

Result<std::unique_ptr<FuseAgent>> FuseAgent::Start() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return Fail(ErrorCode::kIo, std::string("cannot mount: no sockets: ") + std::strerror(errno));
  }
  const pid_t process = fork();
  if (process == 0) ServeUntilHangUp(sockets[1]);
  close(sockets[1]);
  if (process < 0) {
    close(sockets[0]);
    return Fail(ErrorCode::kIo, std::string("cannot mount: no process: ") + std::strerror(errno));
  }
  return std::unique_ptr<FuseAgent>(new FuseAgent(process, sockets[0]));
}

FuseAgent::~FuseAgent() {
  if (socket_ >= 0) close(socket_);
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

bool FuseAgent::Probe(const std::string& mountpoint) {
  return Ask(kProbe, mountpoint, kForever) == 0;
}

void FuseAgent::Refresh(const std::string& path) {
  static_cast<void>(Ask(kRefresh, path, kRefreshTimeoutMs));
}

int FuseAgent::FlushAndUnmount(const std::string& mountpoint, int cancel) {
  return Ask(kUnmount, mountpoint, kForever, cancel);
}

int FuseAgent::Ask(char kind, const std::string& path, int timeout_ms, int cancel) {
  Request request;
  if (path.size() >= sizeof request.path) return ENAMETOOLONG;
  request.kind = kind;
  std::copy_n(path.c_str(), path.size() + 1, request.path);
  const size_t size = offsetof(Request, path) + path.size() + 1;
  const MutexLock lock(mutex_);
  int answer = EIO;
  const bool is_answered = socket_ >= 0 && send(socket_, &request, size, MSG_NOSIGNAL) >= 0 &&
                           HasAnswerWithin(socket_, timeout_ms, cancel) &&
                           recv(socket_, &answer, sizeof answer, 0) == sizeof answer;
  if (is_answered) return answer;
  // A late answer must not be taken for that of the next request.
  if (socket_ >= 0) close(std::exchange(socket_, -1));
  return cancel >= 0 ? ECANCELED : EIO;
}

}  // namespace kvfs::fs
